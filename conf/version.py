"""The one place that holds the product's version."""
VERSION = "1.1.0"
