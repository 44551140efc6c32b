package dev.levee.dns;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The machine's own list of hosts. Read at each look-up, and with all addresses of a host, other than dnsjava's. */
final class HostsFile {
    private static final Path PATH = path(System.getenv("SystemRoot"));

    private HostsFile() {}

    private static Path path(@Nullable String windows) {
        return windows == null ? Path.of("/etc/hosts") : Path.of(windows, "System32", "drivers", "etc", "hosts");
    }

    /** Returns what the list says about a host; empty if nothing. */
    static List<InetAddress> addresses(String host) {
        try {
            return addresses(Files.readAllLines(PATH, StandardCharsets.ISO_8859_1), host);
        } catch (IOException none) {
            return List.of();
        }
    }

    static List<InetAddress> addresses(List<String> lines, String host) {
        Set<InetAddress> addresses = new LinkedHashSet<>();
        String name = host.toLowerCase(Locale.ROOT);
        for (String line : lines) {
            int comment = line.indexOf('#');
            String[] words =
                    (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+", -1);
            InetAddress address = DnsNames.literal(words[0]);
            for (int i = 1; i < words.length && address != null; i++) {
                if (words[i].toLowerCase(Locale.ROOT).equals(name)) {
                    addresses.add(address);
                }
            }
        }
        return List.copyOf(addresses);
    }
}
