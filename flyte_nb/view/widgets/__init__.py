"""Views that live in a browser: an anywidget class each, with its module and style sheet beside it."""
