"""What `models/prepare.py` is made of: package and file fetching, weight readers, network builders, the IR writer."""
