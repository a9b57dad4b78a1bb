"""Tables, migrations and transactions: the only door to the database."""
