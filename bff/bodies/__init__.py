"""What requests and answers hold: formats, fields, and pages of lists."""
