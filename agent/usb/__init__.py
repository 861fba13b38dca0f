"""What comes and goes on a USB stick: a signed feed in, reports out, an enrolment both ways. No stick is trusted."""
