"""What bench/run is made of; bench/README.md tells how it works."""
