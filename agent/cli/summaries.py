"""Made by ./dev words from the commands themselves: change them, not this file."""

# fmt: off
# ruff: noqa: E501 - a sentence is a line

USAGE = ("[OPTIONS]", "COMMAND [ARGS]...")
HELP = "The voice on the pole and the board in the square."
OPTIONS = (
    ("--version", "Print the version."),
    ("--lang en|vi", "Language of the messages; otherwise the locale's. It may stand anywhere."),
    ("--socket <path>", "Control socket; default /run/loa/control.sock."),
    ("--install-completion", "Install completion for the current shell."),
    ("--show-completion", "Show completion for the current shell, to copy it or customize the installation."),
    ("-h, --help", "Show this message and exit."),
)
COMMANDS = (
    ("status", "How the node is: speaks? shows? connected? clock? faults, and what to do about each."),
    ("now", "What sounds and shows now."),
    ("next", "What starts next."),
    ("log", "The newest records of the play log that are still on the node."),
    ("faults", "The faults that stand, since when, and what to do about each. Ends with 1 when there is one."),
    ("link", "The way to the centre: signal, broker, feeds, how soon they answer, bytes today, records that wait."),
    ("top", "The node live: levels, now and next, relays, link, workers, log. q ends it."),
    ("voices", "Which languages can be spoken here, and by whom; the node's own languages first."),
    ("run", "Run the node in the foreground (systemd does this)."),
    ("check-config", "Check the configuration: all errors at once, with line, bound and suggestion."),
    ("say", "Speak TEXT now, within the allowed hours."),
    ("play", "Play FILE now, within the allowed hours."),
    ("identify", "Say and show the number of this pole."),
    ("stop", "Stop what sounds."),
    ("relay", "Switch one relay by hand; it falls back by itself after a minute."),
    ("self-test", "Sound a few soft tones, and say what of them comes back to the microphone."),
    ("screenshot", "Save a picture of what the board shows."),
    ("mute", "Silence the loudspeakers for a while. Emergencies still sound."),
    ("unmute", "Lift a mute, whoever set it."),
    ("support-bundle", "Gather what helps to find a fault into one file: logs, health, configuration without secrets, versions."),
    ("reset", "Begin anew: what the node has gathered is set aside, and the agent restarts."),
    ("doctor", "Check machine, system, configuration, trust, time, storage, power, sound, relays, screen, network and agent."),
    ("test", "Try sound, relays, screen, microphone, link, feed or clock now, and say what was seen or heard."),
    ("setup", "Set the node up: finds what is wired, asks a little, tries each answer, shows what it writes."),
    ("enroll", "Join a centre by a one-time code: the key is made here, the difference is shown, then it is written."),
    ("config", "Read and change the configuration."),
    ("update", "Update the node to a signed release of the feed that is configured for it; back by itself if it fails."),
    ("board", "See what the board will show."),
    ("usb", "A feed from a stick, reports onto a stick."),
    ("station", "A small centre: publish a feed, command nodes, collect reports."),
)
