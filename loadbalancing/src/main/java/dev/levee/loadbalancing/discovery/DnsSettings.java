package dev.levee.loadbalancing.discovery;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What the machine says about DNS, in {@code /etc/resolv.conf}: see its manual page.
 *
 * @param servers whom to ask, in that order; none if the machine has no such file
 * @param search what to append to a short name
 * @param dots how many dots make a name a long one, which is first tried as it is
 * @param rounds how often to ask each server
 */
record DnsSettings(List<InetSocketAddress> servers, List<String> search, int dots, int rounds) {
    static final int PORT = 53;

    private static final int MAX_SERVERS = 3;
    private static final int MAX_SEARCH = 32;
    private static final int MAX_DOTS = 15;
    private static final int MAX_ROUNDS = 5;
    private static final int ROUNDS = 2;
    private static final Path RESOLVER = Path.of("/etc/resolv.conf");
    private static final Path HOSTS = Path.of("/etc/hosts");

    /** Names are taken as they are. */
    static DnsSettings of(List<InetSocketAddress> servers) {
        return new DnsSettings(servers, List.of(), 0, ROUNDS);
    }

    static DnsSettings ofMachine() {
        try {
            return parse(lines(RESOLVER));
        } catch (NoSuchFileException none) {
            return of(List.of());
        } catch (IOException unreadable) {
            return parse(List.of());
        }
    }

    private static List<String> lines(Path file) throws IOException {
        return Files.readAllLines(file, StandardCharsets.ISO_8859_1); // cannot fail for odd bytes in a comment
    }

    static DnsSettings parse(List<String> lines) {
        List<InetSocketAddress> servers = new ArrayList<>();
        List<String> search = List.of();
        int dots = 1;
        int rounds = ROUNDS;
        for (String line : lines) {
            String[] words = line.strip().split("\\s+", -1);
            switch (words[0]) {
                case "nameserver" -> {
                    InetAddress address = words.length < 2 ? null : HostPort.literal(words[1]);
                    if (address != null && servers.size() < MAX_SERVERS) {
                        servers.add(new InetSocketAddress(address, PORT));
                    }
                }
                case "search", "domain" -> search = names(words);
                case "options" -> {
                    for (String word : words) {
                        dots = option(word, "ndots:", 0, MAX_DOTS, dots);
                        rounds = option(word, "attempts:", 1, MAX_ROUNDS, rounds);
                    }
                }
                default -> {
                    // a comment, or of no interest
                }
            }
        }
        if (servers.isEmpty()) {
            servers.add(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT));
        }
        return new DnsSettings(List.copyOf(servers), search, dots, rounds);
    }

    private static List<String> names(String[] words) {
        List<String> names = new ArrayList<>();
        for (int i = 1; i < Math.min(words.length, MAX_SEARCH + 1); i++) {
            try {
                names.add(DnsMessage.name(words[i]));
            } catch (IllegalArgumentException ignored) {
                // "." for example, which adds nothing
            }
        }
        return List.copyOf(names);
    }

    private static int option(String word, String name, int least, int most, int otherwise) {
        if (!word.startsWith(name)) {
            return otherwise;
        }
        try {
            return Math.max(least, Math.min(most, Integer.parseInt(word.substring(name.length()))));
        } catch (NumberFormatException odd) {
            return otherwise;
        }
    }

    /** The whole names that a name may stand for, in the order in which they are tried. */
    List<String> candidates(String text) {
        String name = DnsMessage.name(text);
        if (text.endsWith(".")) {
            return List.of(name);
        }
        Set<String> candidates = new LinkedHashSet<>();
        boolean isLong = name.chars().filter(c -> c == '.').count() >= dots;
        if (isLong) {
            candidates.add(name);
        }
        for (String suffix : search) {
            if (name.length() + 1 + suffix.length() <= 253) {
                candidates.add(name + "." + suffix);
            }
        }
        candidates.add(name);
        return List.copyOf(candidates);
    }

    /** What the machine's own list says about a host; empty if nothing. */
    static List<InetAddress> hosts(String host) {
        try {
            return hosts(lines(HOSTS), host);
        } catch (IOException none) {
            return List.of();
        }
    }

    static List<InetAddress> hosts(List<String> lines, String host) {
        Set<InetAddress> addresses = new LinkedHashSet<>();
        String name = host.toLowerCase(Locale.ROOT);
        for (String line : lines) {
            int comment = line.indexOf('#');
            String[] words =
                    (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+", -1);
            InetAddress address = HostPort.literal(words[0]);
            for (int i = 1; i < words.length && address != null; i++) {
                if (words[i].toLowerCase(Locale.ROOT).equals(name)) {
                    addresses.add(address);
                }
            }
        }
        return List.copyOf(addresses);
    }
}
