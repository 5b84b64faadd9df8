"""The code of functions and layers: archives and images, where they come from and where they are kept."""
