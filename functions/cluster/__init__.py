"""How programs outside of Pulsar (the BFF, the scripts) reach a cluster. It is in no function's package."""
