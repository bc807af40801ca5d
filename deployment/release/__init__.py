"""What a release consists of, and whether something in it is known to be vulnerable."""
