import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Writes the properties of resilience4j-spring-boot in an application.yml or application.properties as those of Levee:
 * {@code java ConvertResilience4j.java application.yml}. What it cannot convert stands in the result as a comment.
 *
 * <p>It reads maps, lists and plain values of YAML, no anchors and no texts of several lines.
 */
public final class ConvertResilience4j {
    private static final List<String> ORDER = List.of("retry", "breaker", "limiter", "timeout", "bulkhead");

    private static final Map<String, String> KINDS = Map.of(
            "circuitbreaker", "breaker",
            "retry", "retry",
            "ratelimiter", "limiter",
            "bulkhead", "bulkhead",
            "timelimiter", "timeout");

    /** Properties by kind and name without dashes; a name that begins with a mark is changed too. */
    private static final Map<String, String> NAMES = names();

    private final Map<String, Map<String, String>> result = new LinkedHashMap<>();
    private final Map<String, Set<String>> pipelines = new LinkedHashMap<>();
    private final List<String> comments = new ArrayList<>();

    private static Map<String, String> names() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("breaker.failureratethreshold", "%failure-rate");
        names.put("breaker.slowcallratethreshold", "%slow-call-rate");
        names.put("breaker.slowcalldurationthreshold", "@slow-call-duration");
        names.put("breaker.minimumnumberofcalls", "min-calls");
        names.put("breaker.waitdurationinopenstate", "@open-for");
        names.put("breaker.permittednumberofcallsinhalfopenstate", "half-open-calls");
        names.put("breaker.recordexceptions", "outcomes.only");
        names.put("breaker.ignoreexceptions", "outcomes.ignored");
        names.put("retry.maxattempts", "max-attempts");
        names.put("retry.waitduration", "@backoff.initial");
        names.put("retry.exponentialbackoffmultiplier", "backoff.multiplier");
        names.put("retry.exponentialmaxwaitduration", "@backoff.max");
        names.put("retry.retryexceptions", "outcomes.only");
        names.put("retry.ignoreexceptions", "outcomes.ignored");
        names.put("limiter.limitforperiod", "permits");
        names.put("limiter.limitrefreshperiod", "@per");
        names.put("limiter.timeoutduration", "@max-wait");
        names.put("bulkhead.maxconcurrentcalls", "max-concurrent");
        names.put("timeout.timeoutduration", "@after");
        return names;
    }

    /** Prints the result. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            System.err.println("usage: java ConvertResilience4j.java application.yml");
            System.exit(2);
        }
        Path file = Path.of(arguments[0]);
        List<String> lines = Files.readAllLines(file);
        Map<String, String> flat = file.toString().endsWith(".properties") ? properties(lines) : yaml(lines);
        System.out.print(new ConvertResilience4j().convert(flat));
    }

    private static Map<String, String> properties(List<String> lines) {
        Map<String, String> flat = new LinkedHashMap<>();
        for (String line : lines) {
            int equals = line.indexOf('=');
            if (equals > 0 && !line.strip().startsWith("#")) {
                add(flat, line.substring(0, equals).strip(), line.substring(equals + 1).strip());
            }
        }
        return flat;
    }

    private static void add(Map<String, String> flat, String key, String value) {
        flat.merge(key.replaceAll("\\[\\d+]$", ""), value, (a, b) -> a + "," + b);
    }

    private static Map<String, String> yaml(List<String> lines) {
        Map<String, String> flat = new LinkedHashMap<>();
        Deque<Integer> indents = new ArrayDeque<>();
        Deque<String> path = new ArrayDeque<>();
        int number = 0;
        for (String raw : lines) {
            number++;
            String line = raw.replaceAll("(^|\\s)#.*$", "");
            if (line.isBlank() || line.startsWith("---")) {
                continue;
            }
            int indent = line.length() - line.stripLeading().length();
            String text = line.strip();
            boolean item = text.startsWith("- ");
            while (!indents.isEmpty() && (item ? indents.peek() > indent : indents.peek() >= indent)) {
                indents.pop();
                path.pop();
            }
            if (item) {
                add(flat, joined(path), unquoted(text.substring(2)));
                continue;
            }
            int colon = text.endsWith(":") ? text.length() - 1 : text.indexOf(": ");
            if (colon < 0) {
                throw new IllegalArgumentException("line " + number + " is no map, list or plain value: " + raw);
            }
            indents.push(indent);
            path.push(unquoted(text.substring(0, colon)));
            String value = text.substring(colon + 1).strip();
            if (value.startsWith("[") && value.endsWith("]")) {
                value = value.substring(1, value.length() - 1);
            }
            if (!value.isEmpty()) {
                add(flat, joined(path), unquoted(value));
            }
        }
        return flat;
    }

    private static String joined(Deque<String> path) {
        List<String> names = new ArrayList<>(path);
        java.util.Collections.reverse(names);
        return String.join(".", names);
    }

    private static String unquoted(String text) {
        String value = text.strip();
        boolean quoted = value.length() > 1
                && (value.startsWith("\"") && value.endsWith("\"") || value.startsWith("'") && value.endsWith("'"));
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    private String convert(Map<String, String> flat) {
        flat.forEach((key, value) -> {
            String[] names = key.split("\\.", -1);
            if (!names[0].equals("resilience4j")) {
                return;
            }
            if (names.length == 4 && value.equals("{}") && KINDS.containsKey(plain(names[1]))) {
                pipelines.computeIfAbsent(names[3], name -> new LinkedHashSet<>()).add(KINDS.get(plain(names[1])));
                return;
            }
            String kind = names.length < 5 ? null : KINDS.get(plain(names[1]));
            boolean shared = kind != null && names[2].equals("configs") && names[3].equals("default");
            if (kind == null || !(shared || names[2].equals("instances"))) {
                comments.add(key + ": " + value);
                return;
            }
            String owner = shared ? "defaults." + kind : "policies." + names[3] + '-' + kind;
            if (!shared) {
                pipelines.computeIfAbsent(names[3], name -> new LinkedHashSet<>()).add(kind);
            }
            Map<String, String> settings = result.computeIfAbsent(owner, name -> new LinkedHashMap<>());
            property(flat, key, kind, plain(names[4]), value, settings);
        });
        return print();
    }

    private void property(
            Map<String, String> flat, String key, String kind, String name, String value, Map<String, String> to) {
        String place = key.substring(0, key.lastIndexOf('.'));
        if (kind.equals("breaker") && name.equals("slidingwindowsize")) {
            boolean time = flat.entrySet().stream()
                    .anyMatch(each -> each.getKey().startsWith(place + '.')
                            && plain(each.getKey()).endsWith("slidingwindowtype")
                            && each.getValue().equalsIgnoreCase("TIME_BASED"));
            to.put(time ? "time-window" : "count-window", time ? value + 's' : value);
        } else if (name.equals("slidingwindowtype") || name.equals("baseconfig") && value.equals("default")) {
            return;
        } else if (kind.equals("retry") && name.equals("enableexponentialbackoff")) {
            to.put("backoff.shape", value.equals("true") ? "exponential" : "fixed");
        } else if (kind.equals("retry") && name.equals("enablerandomizedwait")) {
            to.put("backoff.jitter", value.equals("true") ? "equal" : "none");
        } else if (kind.equals("bulkhead") && name.equals("maxwaitduration")) {
            if (!value.matches("0|0ms|0s|PT0S")) {
                to.put("max-waiting", "1000");
                to.put("max-wait", time(value));
            }
        } else if (NAMES.containsKey(kind + '.' + name)) {
            String target = NAMES.get(kind + '.' + name);
            char mark = target.charAt(0);
            String bare = mark == '%' || mark == '@' ? target.substring(1) : target;
            to.put(bare, mark == '%' ? share(value) : mark == '@' ? time(value) : value);
        } else {
            comments.add(key + ": " + value);
        }
    }

    private static String plain(String name) {
        return name.replace("-", "").toLowerCase(Locale.ROOT);
    }

    private static String share(String percent) {
        return new java.math.BigDecimal(percent).movePointLeft(2).stripTrailingZeros().toPlainString();
    }

    private static String time(String value) {
        return value.matches("\\d+") ? value + "ms" : value;
    }

    private String print() {
        StringBuilder text = new StringBuilder("levee:\n");
        for (String section : List.of("defaults", "policies")) {
            boolean any = result.keySet().stream().anyMatch(name -> name.startsWith(section + '.'));
            text.append(any ? "  " + section + ":\n" : "");
            result.forEach((owner, settings) -> {
                if (owner.startsWith(section + '.') && !settings.isEmpty()) {
                    text.append("    ").append(owner.substring(section.length() + 1)).append(":\n");
                    settings.forEach((name, value) ->
                            text.append("      ").append(name).append(": ").append(value).append('\n'));
                }
            });
        }
        text.append(pipelines.isEmpty() ? "" : "  pipelines:\n");
        pipelines.forEach((name, kinds) -> text.append("    ")
                .append(name)
                .append(": ")
                .append(ORDER.stream().filter(kinds::contains).toList())
                .append('\n'));
        comments.forEach(each -> text.append("# not converted: ").append(each).append('\n'));
        return text.toString();
    }
}
