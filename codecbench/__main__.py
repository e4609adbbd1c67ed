"""``python -m codecbench``."""

from .cli.main import main

main()
