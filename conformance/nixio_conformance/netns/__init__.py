"""The hermetic network: Linux namespaces with links, addresses, names and services of their own."""
