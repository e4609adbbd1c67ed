"""What listeners answered on a site's listening page, and what follows from it."""
