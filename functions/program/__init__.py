"""How every program that people start begins and ends: the BFF, scripts, deployment. It is in no function's package."""
