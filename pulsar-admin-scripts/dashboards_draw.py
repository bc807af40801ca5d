"""Pictures of Grafana's dashboards, from what a Prometheus holds. See tools/dashboards/draw.py."""

from tools.launch import run

if __name__ == "__main__":
    run("tools.dashboards.draw")
