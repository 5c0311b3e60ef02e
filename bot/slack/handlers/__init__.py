"""What each subcommand does, one file per noun; the table that names them all is in inbound/commands.py."""
