"""`python -m localslack`: the command `localslack`."""

from localslack.cli import main

if __name__ == "__main__":
    main()
