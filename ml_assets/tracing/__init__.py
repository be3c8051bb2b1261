"""`ml-assets trace`: where a prediction comes from, down to the columns of the sources. It only reads."""
