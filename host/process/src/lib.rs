//! Programs of the machine: started confined, watched, and killed as a group.
