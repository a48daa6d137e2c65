"""The one place that holds the product's version."""
VERSION = "1.0.0"
