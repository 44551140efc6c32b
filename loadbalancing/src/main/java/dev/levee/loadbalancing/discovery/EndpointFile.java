package dev.levee.loadbalancing.discovery;

import dev.levee.core.internal.Addresses;
import dev.levee.core.internal.Text;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads endpoints from a file. It compares contents, not times and sizes: files of endpoints are small, and then
 * neither a clock of one second, nor a file system without events, nor a link that is swapped can hide a change.
 */
final class EndpointFile<A> implements Polling.Poll<A> {
    static final int MAX_BYTES = 16 << 20;

    /** What has changed must be the same for this long, since a writer may be half-way. */
    static final long SETTLE_NANOS = 250_000_000L;

    private static final int MAX_UNSETTLED = 20;
    private static final String BYTE_ORDER_MARK = "\uFEFF";

    private final Path path;
    private final Function<? super String, ? extends A> addresses;
    private final long intervalNanos;
    private byte @Nullable [] accepted;
    private byte @Nullable [] seen;
    private int unsettled;
    private boolean polled;

    EndpointFile(Path path, Function<? super String, ? extends A> addresses, long intervalNanos) {
        this.path = path;
        this.addresses = addresses;
        this.intervalNanos = intervalNanos;
    }

    @Override
    public Polling.PollOutcome<A> poll() throws IOException {
        boolean first = !polled;
        polled = true;
        byte[] content = read();
        boolean settled = first || Arrays.equals(content, seen);
        seen = content;
        if (Arrays.equals(content, accepted)) {
            unsettled = 0;
            return Polling.PollOutcome.asBefore(intervalNanos);
        }
        if (!settled) {
            if (++unsettled >= MAX_UNSETTLED) {
                throw new IOException(Text.printable(path) + " has changed at each of " + unsettled + " polls");
            }
            return Polling.PollOutcome.undecided(Math.min(SETTLE_NANOS, intervalNanos));
        }
        unsettled = 0;
        List<Endpoint<A>> endpoints = parse(content);
        if (!endpoints.isEmpty()) {
            accepted = content;
        }
        return Polling.PollOutcome.all(endpoints, intervalNanos);
    }

    private byte[] read() throws IOException {
        try (InputStream stream = Files.newInputStream(path)) {
            byte[] content = stream.readNBytes(MAX_BYTES + 1);
            if (content.length > MAX_BYTES) {
                throw new IOException(
                        Text.printable(path) + " must be at most " + MAX_BYTES + " bytes long, but is longer");
            }
            return content;
        }
    }

    /** All lines or none. */
    private List<Endpoint<A>> parse(byte[] content) throws IOException {
        String text = StandardCharsets.UTF_8
                .newDecoder()
                .decode(ByteBuffer.wrap(content))
                .toString();
        String[] lines = (text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text).split("\\R", -1);
        List<Endpoint<A>> endpoints = new ArrayList<>();
        for (int i = 0; i < lines.length; i++) {
            int comment = lines[i].indexOf('#');
            String line = (comment < 0 ? lines[i] : lines[i].substring(0, comment)).strip();
            if (!line.isEmpty()) {
                try {
                    endpoints.add(endpoint(line));
                } catch (RuntimeException wrong) {
                    String why = Text.escaped(Addresses.withoutSecrets(String.valueOf(wrong.getMessage())));
                    throw new IOException(Text.printable(path) + ", line " + (i + 1) + ": " + why, wrong);
                }
            }
        }
        return endpoints;
    }

    private Endpoint<A> endpoint(String line) {
        String[] words = line.split("\\s+", -1);
        Map<String, String> labels = new LinkedHashMap<>();
        for (int i = 1; i < words.length; i++) {
            int equals = words[i].indexOf('=');
            if (equals < 1) {
                throw new IllegalArgumentException("\"" + words[i] + "\" must be NAME=VALUE");
            }
            if (labels.put(words[i].substring(0, equals), words[i].substring(equals + 1)) != null) {
                throw new IllegalArgumentException("\"" + words[i] + "\" is there twice");
            }
        }
        A address = addresses.apply(words[0]);
        if (address == null) {
            throw new IllegalArgumentException("\"" + words[0] + "\" is no address");
        }
        String id = labels.remove("id");
        String weight = labels.remove("weight");
        String priority = labels.remove("priority");
        return new Endpoint<>(
                id == null ? AddressText.of(address) : id,
                address,
                weight == null ? 1.0 : Double.parseDouble(weight),
                priority == null ? 0 : Integer.parseInt(priority),
                labels);
    }
}
