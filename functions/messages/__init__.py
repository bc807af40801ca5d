"""What is said between functions, and its bytes."""
