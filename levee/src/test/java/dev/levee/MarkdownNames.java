package dev.levee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.lang.model.SourceVersion;

/**
 * Finds names in a page, in backticks or in a fenced block of text, that the checkout does not have.
 *
 * <ul>
 *   <li>{@code Name.java} and paths are files; {@code ...} stands for any folders, {@code *} for any part of a name.
 *   <li>A capitalised name is a type of ours (tests included), of the JDK or of the class path.
 *   <li>{@code Type.member} is a member of that type, {@code name()} a method of some type.
 *   <li>Any other identifier is declared somewhere, or is a word in a text of the sources.
 *   <li>Words with dots are a package, or a text of the sources, as metrics are.
 * </ul>
 *
 * <p>Texts in quotes are not looked at. Exempt are "Rejected" in decisions, decisions that are superseded, columns of
 * tables headed {@code Old} or by another library, and {@link #EXCEPTIONS}.
 */
final class MarkdownNames {

    /** What pages may name although neither the sources nor the JDK have it. */
    static final Set<String> EXCEPTIONS = Set.of(
            // a header of HTTP
            "RateLimit",
            // of the SDK of OpenTelemetry
            "SdkMeterProvider",
            // of Redis, PostgreSQL, MySQL and their clients
            "BCAST",
            "FLUSHALL",
            "MapLoader",
            "MapWriter",
            "NOLOOP",
            "RLocalCachedMap",
            "RPermitExpirableSemaphore",
            "RRateLimiter",
            "RSemaphore",
            "RedisClient",
            "SIGSTOP",
            "StatefulConnection",
            "TRUNCATE",
            "TransactionAwareDataSourceProxy",
            "UNLOGGED",
            "mg",
            "replica_preserve_commit_order",
            "synchronous_commit",
            "trySetRate",
            "wal_writer_delay",
            // of other libraries
            "Failsafe",
            "FailsafeException",
            "InvalidCacheLoadException",
            "RoundRobinLoadBalancer",
            "automaticTransitionFromOpenToHalfOpenEnabled",
            "decorate...",
            "least_request",
            "selectConnection",
            "weighted_round_robin",
            // of Spring's annotations
            "allEntries",
            "beforeInvocation",
            "cacheNames",
            "sync",
            "withMaxRetries",
            // of clients, servers, traces and frameworks that pages are about
            "Authentication",
            "CloseMode",
            "EventSource",
            "Flux",
            "JdbcTemplate",
            "LoadBalanced",
            "LoadBalancerLifecycle",
            "Mono",
            "OkHttp",
            "RestClient",
            "RestTemplate",
            "RetryInfo",
            "WebClient",
            "http.request.resend_count",
            "grpc.health.v1",
            "By",
            "REJECT_COMMANDS",
            "backoff.multiplier",
            "callTimeout",
            "idempotency_level",
            "NOPERM",
            "fallbackUri",
            "isDuplex",
            "maxRequestsPerHost",
            "readTimeout",
            "retryOnConnectionFailure",
            "levee.retry.repeated",
            "tracing.calls",
            // of releases
            "MAJOR",
            "MINOR",
            "asc",
            "keys.openpgp.org",
            // of protocols, file formats and platforms
            "ConfigMap",
            "Location",
            // of a newer JDK
            "ScopedValue",
            // in formulas
            "id_k",
            // hash functions of Guava
            "murmur3_128",
            "murmur3_32_fixed");

    private static final Set<String> EXEMPT_COLUMNS = Set.of(
            "Old",
            "Resilience4j",
            "Failsafe",
            "Hystrix",
            "Bucket4j",
            "Guava",
            "Netflix",
            "Caffeine",
            "Ehcache",
            "JSR 107",
            "Spring");

    /** Its blocks of text are code of other libraries. */
    private static final String OTHER_LIBRARIES = "docs/migrating.md";

    private static final Pattern FILE = Pattern.compile("(?<![\\w/.-])[\\w./*-]*\\w\\.(?:java|md|xml)(?![\\w(-])");
    private static final Pattern PATH = Pattern.compile("[.\\w][\\w.*-]*(?:/[\\w.*-]+)+/?|[\\w-]+/");
    private static final Pattern CHAIN =
            Pattern.compile("(?<![\\w@$-])[A-Za-z]\\w*(?:(?:\\.|::)[A-Za-z]\\w*)*(?:\\.\\*|\\.\\.\\.)?(?![\\w-])\\(?");
    private static final Pattern COMPOUND_TYPE = Pattern.compile("(?<![\\w./-])[A-Z][a-z0-9]+(?:[A-Z]\\w*)+(?![\\w-])");
    private static final Pattern CODE_LIKE =
            Pattern.compile("(?:new )?[\\w.:@]+(?:\\*|[(<].*)?|[\\w.]+(?: ?->| [=+*/-]|::).*|[\\w<>, .]+\\(.*");
    private static final Pattern MESSAGE = Pattern.compile(".*[\\w)]: .*|.*\\w:");
    private static final Pattern QUANTITY = Pattern.compile("\\b\\d+(?:\\.\\d+)? (?:ns|us|ms|s|min|h|%)(?!\\w)");
    private static final Pattern DECLARED = Pattern.compile("\\b(?:class|interface|record|enum) (\\w+)");

    private static final String POM = pom();
    private static final SourceNames SOURCES = SourceNames.ofCheckout();
    private static final LibraryTypes LIBRARIES = LibraryTypes.loaded();
    private static final Set<String> FILES = files();
    private static final Set<String> TYPES_OF_EXAMPLES = typesOfExamples();

    private final MarkdownPage page;
    private final List<String> missing = new ArrayList<>();

    private MarkdownNames(MarkdownPage page) {
        this.page = page;
    }

    /** One line for each name, with the line of the page. */
    static List<String> missing(MarkdownPage page) {
        MarkdownNames names = new MarkdownNames(page);
        boolean superseded = page.prose().contains("\nStatus: superseded");
        for (MarkdownPage.Code code : page.code()) {
            boolean exempt = superseded
                    || (page.path().startsWith("docs/adr/") && code.section().equals("Rejected"))
                    || EXEMPT_COLUMNS.contains(code.column());
            names.check(code.line(), code.text(), exempt);
        }
        for (MarkdownPage.Fence fence : page.fences()) {
            boolean isCode =
                    page.path().equals(OTHER_LIBRARIES) && fence.language().equals("text");
            if (!isCode && Set.of("text", "mermaid").contains(fence.language())) {
                int line = fence.line();
                for (String text : fence.lines()) {
                    line++;
                    names.checkFiles(line, text.strip());
                    names.checkCompoundTypes(line, text.strip());
                }
            }
        }
        return names.missing;
    }

    private void check(int line, String text, boolean exempt) {
        String code = QUANTITY.matcher(text.replaceAll("\"[^\"]*\"", "\"\"")).replaceAll("0");
        if (code.contains("://") || Stream.of("~", "/", "-", "<!--").anyMatch(code::startsWith)) {
            return;
        }
        checkFiles(line, text);
        if (exempt
                || FILE.matcher(code).find()
                || PATH.matcher(code.split(" ", -1)[0]).matches()) {
            return;
        }
        if (CODE_LIKE.matcher(code).matches() && !MESSAGE.matcher(code).matches()) {
            Matcher chain = CHAIN.matcher(code);
            while (chain.find()) {
                checkChain(line, text, chain.group());
            }
        } else {
            checkCompoundTypes(line, code);
        }
    }

    private void checkFiles(int line, String text) {
        Set<String> paths = new HashSet<>();
        FILE.matcher(text).results().forEach(it -> paths.add(it.group()));
        String first = text.split(" ", -1)[0];
        boolean isOther = Stream.of("NAME/", "./mvnw", "HTTP/").anyMatch(first::startsWith);
        if (PATH.matcher(first).matches() && !isOther) {
            paths.add(first);
        }
        for (String path : paths) {
            if (!path.contains("target/") && !exists(path)) {
                report(line, text, "no such file");
            }
        }
    }

    private boolean exists(String path) {
        String pattern = path.replaceAll("/$", "").replace("...", "**");
        PathMatcher matcher = FileSystems.getDefault().getPathMatcher("glob:{**/,}" + pattern);
        return FILES.stream().anyMatch(it -> matcher.matches(Path.of(it)));
    }

    private void checkCompoundTypes(int line, String text) {
        Matcher type = COMPOUND_TYPE.matcher(text);
        while (type.find()) {
            if (!isType(type.group()) && !EXCEPTIONS.contains(type.group())) {
                report(line, text, "no type " + type.group());
            }
        }
    }

    private void checkChain(int line, String text, String chain) {
        boolean isCall = chain.endsWith("(");
        String name = chain.replaceAll("\\($|\\.\\*$", "").replace("::", ".");
        if (EXCEPTIONS.contains(name) || EXCEPTIONS.contains(name.split("\\.", -1)[0])) {
            return;
        }
        if (name.endsWith("...")) {
            if (!SOURCES.knowsPrefix(name.substring(0, name.length() - 3))) {
                report(line, text, "no name " + name);
            }
            return;
        }
        String[] parts = name.split("\\.", -1);
        if (parts[0].length() == 1) {
            return; // a type variable, a parameter in a formula
        }
        if (Character.isLowerCase(name.charAt(0)) && parts.length > 1) {
            checkDotted(line, text, name, parts, isCall);
        } else {
            checkParts(line, text, parts, isCall);
        }
    }

    private void checkDotted(int line, String text, String name, String[] parts, boolean isCall) {
        String last = parts[parts.length - 1];
        if (isCall) {
            if (!isMethod(last)) {
                report(line, text, "no method " + last);
            }
        } else if (last.length() > 1 && last.equals(last.toUpperCase(Locale.ROOT))) {
            // A name to be put there.
            checkChain(line, text, name.substring(0, name.lastIndexOf('.')));
        } else if (Character.isUpperCase(last.charAt(0)) && last.length() > 1) {
            checkParts(line, text, new String[] {last}, false);
        } else if (!SOURCES.hasPackage(name)
                && !LIBRARIES.hasPackage(name)
                && !LIBRARIES.hasMethod(last)
                && !isMetric(name)
                && !MetricsCatalogue.hasName(name)
                && !POM.contains("<" + name + ">")) {
            report(line, text, "no package or metric " + name);
        }
    }

    /** A text, or one that ends with a dot and what it is put before: a constant, or a word of the sources. */
    private static boolean isMetric(String name) {
        int end = name.lastIndexOf('.') + 1;
        String last = name.substring(end);
        boolean isWhole = SOURCES.hasText(name);
        boolean isPrefix = SOURCES.isText(name.substring(0, end)) && !name.startsWith("dev.levee.");
        return isWhole || (isPrefix && (SOURCES.knows(last) || SOURCES.knows(last.toUpperCase(Locale.ROOT))));
    }

    /** A type and its members, or a name alone. */
    private void checkParts(int line, String text, String[] parts, boolean isCall) {
        String first = parts[0];
        if (Character.isUpperCase(first.charAt(0)) && !first.equals(first.toUpperCase(Locale.ROOT))) {
            if (!isType(first)) {
                report(line, text, "no type " + first);
            } else if (parts.length > 1 && !isMember(first, parts[1])) {
                report(line, text, "no " + parts[1] + " in " + first);
            } else if (parts.length > 2) {
                String owner = parts[1].equals("Builder") ? first : parts[1];
                if (isType(owner) && !isMember(owner, parts[2])) {
                    report(line, text, "no " + parts[2] + " in " + owner);
                }
            }
        } else if (isCall && !isMethod(first)) {
            report(line, text, "no method " + first);
        } else if (!isCall && !isKnown(first)) {
            report(line, text, "no name " + first);
        }
    }

    /** Declared somewhere, a word in a text of the sources or in the parent's pom, or of the language. */
    private static boolean isKnown(String name) {
        return SOURCES.knows(name)
                || SourceVersion.isKeyword(name)
                || LIBRARIES.hasMethod(name)
                || Pattern.compile("\\b" + name + "\\b").matcher(POM).find();
    }

    private static boolean isType(String name) {
        return SOURCES.hasType(name) || LIBRARIES.has(name) || TYPES_OF_EXAMPLES.contains(name);
    }

    private static boolean isMember(String type, String member) {
        if (member.equals("class") || (!SOURCES.hasType(type) && !LIBRARIES.has(type))) {
            return true;
        }
        return LIBRARIES.hasMember(type, member) || (SOURCES.hasType(type) && SOURCES.mayHaveMember(type, member));
    }

    /** Labels of policies count: a page writes {@code retry(breaker(call))}. */
    private static boolean isMethod(String name) {
        return SOURCES.hasMethod(name) || LIBRARIES.hasMethod(name) || (SOURCES.knows(name) && SOURCES.hasText(name));
    }

    private void report(int line, String text, String problem) {
        missing.add(page.path() + ":" + line + " `" + text + "`: " + problem);
    }

    /** Types that a Java example on any page declares. */
    private static Set<String> typesOfExamples() {
        return MarkdownPage.all().stream()
                .flatMap(it -> DECLARED.matcher(it.raw()).results())
                .map(it -> it.group(1))
                .filter(it -> Character.isUpperCase(it.charAt(0)))
                .collect(Collectors.toSet());
    }

    private static String pom() {
        try {
            return Files.readString(Project.root().resolve("pom.xml"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Set<String> files() {
        Path root = Project.root();
        Set<String> files = new HashSet<>();
        Project.paths(root).forEach(it -> files.add(root.relativize(it).toString()));
        return files;
    }
}
