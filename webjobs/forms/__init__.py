"""What people type or upload becomes typed values here, or a message beside the field."""
