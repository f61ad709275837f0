def book(evidence):
    return ""
