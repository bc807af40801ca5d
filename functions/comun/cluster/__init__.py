"""How what runs outside of Pulsar (the BFF, the scripts) reaches a cluster. In no function's package."""
