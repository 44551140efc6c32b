package dev.levee.dns;

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
import java.util.Map;
import java.util.Set;
import org.xbill.DNS.ResolverConfig;

/**
 * What the machine says about DNS, in {@code /etc/resolv.conf}: see its manual page. Read at each look-up; dnsjava
 * reads it once, and skips the option {@code attempts}.
 *
 * @param servers the name servers, in the order in which they are queried
 * @param search the suffixes for a short name
 * @param ndots how many dots make a name a long one, which is first tried as it is
 * @param attempts how often each server is queried
 */
record ResolverSettings(List<InetSocketAddress> servers, List<String> search, int ndots, int attempts) {
    static final int PORT = 53;

    private static final int MAX_SERVERS = 3;
    private static final int MAX_SEARCH = 32;
    private static final int MAX_NDOTS = 15;
    private static final int MAX_ATTEMPTS = 5;
    private static final int MAX_NAME = 253;
    private static final int DEFAULT_ATTEMPTS = 2;
    private static final Path RESOLV_CONF = Path.of("/etc/resolv.conf");
    private static final Path HOST_NAME = Path.of("/proc/sys/kernel/hostname");

    /** Returns settings under which names are taken as they are. */
    static ResolverSettings of(List<InetSocketAddress> servers) {
        return new ResolverSettings(servers, List.of(), 0, DEFAULT_ATTEMPTS);
    }

    static ResolverSettings ofMachine() {
        try {
            // This encoding has no wrong bytes, which a comment may have in others.
            List<String> lines = Files.readAllLines(RESOLV_CONF, StandardCharsets.ISO_8859_1);
            return parse(hostName(), lines, System.getenv());
        } catch (NoSuchFileException none) {
            return ofDnsjava(ResolverConfig.getCurrentConfig());
        } catch (IOException unreadable) {
            return parse(hostName(), List.of(), System.getenv());
        }
    }

    private static String hostName() {
        try {
            return Files.readString(HOST_NAME, StandardCharsets.ISO_8859_1).strip();
        } catch (IOException unknown) {
            return "";
        }
    }

    /** For Windows and Android. */
    private static ResolverSettings ofDnsjava(ResolverConfig config) {
        List<String> search = config.searchPath().stream().map(DnsNames::text).toList();
        return new ResolverSettings(List.copyOf(config.servers()), search, config.ndots(), DEFAULT_ATTEMPTS);
    }

    /**
     * Reads the lines of the file, and what the process overrides by {@code LOCALDOMAIN} and {@code RES_OPTIONS}.
     * Without a search list, the domain of the machine's own name is one.
     */
    static ResolverSettings parse(String hostName, List<String> file, Map<String, String> variables) {
        List<String> lines = new ArrayList<>();
        if (hostName.indexOf('.') > 0) {
            lines.add("domain " + hostName.substring(hostName.indexOf('.') + 1));
        }
        lines.addAll(file);
        if (variables.containsKey("LOCALDOMAIN")) {
            lines.add("search " + variables.get("LOCALDOMAIN"));
        }
        if (variables.containsKey("RES_OPTIONS")) {
            lines.add("options " + variables.get("RES_OPTIONS"));
        }
        List<InetSocketAddress> servers = new ArrayList<>();
        List<String> search = List.of();
        int ndots = 1;
        int attempts = DEFAULT_ATTEMPTS;
        for (String line : lines) {
            String[] words = line.strip().split("\\s+", -1);
            switch (words[0]) {
                case "nameserver" -> {
                    InetAddress address = words.length < 2 ? null : DnsNames.literal(words[1]);
                    if (address != null && servers.size() < MAX_SERVERS) {
                        servers.add(new InetSocketAddress(address, PORT));
                    }
                }
                case "search", "domain" -> search = names(words);
                case "options" -> {
                    for (String word : words) {
                        ndots = option(word, "ndots:", 0, MAX_NDOTS, ndots);
                        attempts = option(word, "attempts:", 1, MAX_ATTEMPTS, attempts);
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
        return new ResolverSettings(List.copyOf(servers), search, ndots, attempts);
    }

    private static List<String> names(String[] words) {
        List<String> names = new ArrayList<>();
        for (int i = 1; i < Math.min(words.length, MAX_SEARCH + 1); i++) {
            try {
                names.add(DnsNames.ascii(words[i]));
            } catch (IllegalArgumentException ignored) {
                // "." for example, which adds nothing
            }
        }
        return List.copyOf(names);
    }

    private static int option(String word, String name, int min, int max, int otherwise) {
        if (!word.startsWith(name)) {
            return otherwise;
        }
        try {
            return Math.max(min, Math.min(max, Integer.parseInt(word.substring(name.length()))));
        } catch (NumberFormatException odd) {
            return otherwise;
        }
    }

    /** Returns the whole names that a name may stand for, in the order in which they are tried. */
    List<String> candidates(String text) {
        String name = DnsNames.ascii(text);
        if (text.endsWith(".")) {
            return List.of(name);
        }
        Set<String> candidates = new LinkedHashSet<>();
        boolean isLong = name.chars().filter(c -> c == '.').count() >= ndots;
        if (isLong) {
            candidates.add(name);
        }
        for (String suffix : search) {
            if (name.length() + 1 + suffix.length() <= MAX_NAME) {
                candidates.add(name + "." + suffix);
            }
        }
        candidates.add(name);
        return List.copyOf(candidates);
    }
}
