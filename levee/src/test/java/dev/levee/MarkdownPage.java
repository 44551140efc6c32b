package dev.levee;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A Markdown file, taken apart into what can be checked: code in backticks, links, anchors and fenced blocks. */
final class MarkdownPage {

    private static final Pattern FENCE = Pattern.compile(" *(```+)(.*)");
    private static final Pattern HEADING = Pattern.compile("(#+) +(.*)");
    /** A pair of backticks (or runs of them) with no empty line in between. */
    private static final Pattern CODE =
            Pattern.compile("(?<!`)(`+)(?!`)((?:(?!\\n\\s*\\n).)+?)(?<!`)\\1(?!`)", Pattern.DOTALL);

    private static final Pattern LINK = Pattern.compile("\\]\\(\\s*<?([^)\\s>]+)>?[^)]*\\)");
    private static final Pattern ANCHOR = Pattern.compile("<a (?:id|name)=\"([^\"]+)\"");

    private final Path file;
    private final String raw;
    private final List<Fence> fences = new ArrayList<>();
    private final Set<String> anchors = new HashSet<>();
    private final List<String> headings = new ArrayList<>();

    /** The text without fenced blocks and comments, lines where they were. */
    private final String prose;

    /**
     * Code in backticks; {@code section} is the heading above, {@code column} the head of its table's column, or empty.
     */
    record Code(int line, String text, String section, String column) {}

    /** The target of a link. */
    record Link(int line, String target) {}

    /** A fenced block; {@code language} is what stands behind the fence. */
    record Fence(int line, String language, List<String> lines) {}

    private MarkdownPage(Path file) throws IOException {
        this.file = file;
        List<String> lines = Files.readAllLines(file);
        raw = String.join("\n", lines);
        StringBuilder text = new StringBuilder();
        Map<String, Integer> seen = new HashMap<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            Matcher fence = FENCE.matcher(line);
            Matcher heading = HEADING.matcher(line);
            if (fence.matches()) {
                i = readFence(lines, i, fence, text);
            } else if (line.strip().startsWith("<!--")) {
                for (; !lines.get(i).contains("-->"); i++) {
                    text.append('\n');
                }
                text.append('\n');
            } else {
                if (heading.matches()) {
                    headings.add(heading.group(2));
                    String slug = slug(heading.group(2));
                    int number = seen.merge(slug, 1, Integer::sum) - 1;
                    anchors.add(number == 0 ? slug : slug + "-" + number);
                }
                text.append(line).append('\n');
            }
        }
        prose = text.toString();
        ANCHOR.matcher(prose).results().forEach(it -> anchors.add(it.group(1)));
    }

    private int readFence(List<String> lines, int first, Matcher fence, StringBuilder text) {
        List<String> block = new ArrayList<>();
        int i = first + 1;
        text.append('\n');
        for (; !lines.get(i).strip().startsWith(fence.group(1)); i++) {
            block.add(lines.get(i));
            text.append('\n');
        }
        text.append('\n');
        fences.add(new Fence(first + 1, fence.group(2).strip(), block));
        return i;
    }

    /** As GitHub does it: letters, digits, blanks and hyphens stay, blanks become hyphens. */
    private static String slug(String heading) {
        return heading.replaceAll("\\[([^\\]]*)\\]\\([^)]*\\)", "$1")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N} _-]", "")
                .replace(' ', '-');
    }

    static MarkdownPage of(Path file) {
        try {
            return new MarkdownPage(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every page of the checkout that is not made by a build. */
    static List<MarkdownPage> all() {
        return Project.paths(Project.root()).stream()
                .filter(it -> it.toString().endsWith(".md"))
                .sorted()
                .map(MarkdownPage::of)
                .toList();
    }

    static MarkdownPage named(String path) {
        return of(Project.root().resolve(path));
    }

    Path file() {
        return file;
    }

    /** The path from the root of the checkout. */
    String path() {
        Path root = Project.root();
        return file.startsWith(root)
                ? root.relativize(file).toString()
                : file.getFileName().toString();
    }

    /** The whole text. */
    String raw() {
        return raw;
    }

    /** The text without fenced blocks and comments, lines where they were. */
    String prose() {
        return prose;
    }

    List<Fence> fences() {
        return fences;
    }

    Set<String> anchors() {
        return anchors;
    }

    List<String> headings() {
        return headings;
    }

    /** Code in backticks, in order. A line break in it is a blank. */
    List<Code> code() {
        List<Code> found = new ArrayList<>();
        Matcher code = CODE.matcher(prose);
        while (code.find()) {
            found.add(new Code(
                    line(code.start()),
                    code.group(2).strip().replaceAll("\\s*\\n\\s*", " ").replace("\\|", "|"),
                    section(code.start()),
                    column(code.start())));
        }
        return found;
    }

    List<Link> links() {
        List<Link> found = new ArrayList<>();
        Matcher link = LINK.matcher(withoutCode());
        while (link.find()) {
            found.add(new Link(line(link.start()), link.group(1)));
        }
        return found;
    }

    /** The text with blanks in place of what is in backticks, but not of backticks in the text of links. */
    private String withoutCode() {
        return CODE.matcher(prose).replaceAll(it -> it.group().replaceAll("[^\\n]", " "));
    }

    private int line(int offset) {
        return (int) prose.substring(0, offset).chars().filter(it -> it == '\n').count() + 1;
    }

    private String section(int offset) {
        String section = "";
        for (String line : prose.substring(0, offset).split("\n", -1)) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                section = heading.group(2);
            }
        }
        return section;
    }

    private String column(int offset) {
        String[] lines = prose.substring(0, offset).split("\n", -1);
        String before = lines[lines.length - 1];
        if (!before.startsWith("|")) {
            return "";
        }
        int first = lines.length - 1;
        while (first > 0 && lines[first - 1].startsWith("|")) {
            first--;
        }
        int cell = cells(before).size() - 1;
        List<String> heads = cells(prose.split("\n", -1)[first]);
        return cell < heads.size() ? heads.get(cell).strip() : "";
    }

    /** The first cell is at 1. */
    private static List<String> cells(String row) {
        return List.of(CODE.matcher(row)
                .replaceAll(it ->
                        it.group().replaceAll("\\|", "/").replace("\\", "/").replace("$", "/"))
                .split("(?<!\\\\)\\|", -1));
    }

    @Override
    public String toString() {
        return path();
    }
}
