"""What a course author uses: laying out exercises, generating stubs, checking the checks."""
