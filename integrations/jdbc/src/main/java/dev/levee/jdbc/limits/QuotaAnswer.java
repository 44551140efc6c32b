package dev.levee.jdbc.limits;

import dev.levee.core.internal.Text;
import dev.levee.ratelimit.shared.QuotaGrant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a node was answered last, as it stands in the table: numbers with commas in between, so that SQL can take it
 * apart.
 *
 * @param sequence of the batch
 * @param seen when, by the time of the limit
 * @param grant the answer
 */
record QuotaAnswer(long sequence, long seen, QuotaGrant grant) {
    private static final Pattern ENTRY = Pattern.compile("\"([A-Za-z0-9]+)\" ?: ?\"([^\"]*)\"");

    /** Reads all answers of a limit, by their nodes. */
    static Map<String, QuotaAnswer> readAll(String json) {
        Map<String, QuotaAnswer> answers = new LinkedHashMap<>();
        Matcher entries = ENTRY.matcher(json);
        while (entries.find()) {
            answers.put(entries.group(1), read(entries.group(2)));
        }
        return answers;
    }

    static String write(Map<String, QuotaAnswer> answers) {
        StringBuilder json = new StringBuilder("{");
        answers.forEach((node, answer) -> json.append(json.length() > 1 ? "," : "")
                .append('"')
                .append(node)
                .append("\":\"")
                .append(answer.text())
                .append('"'));
        return json.append('}').toString();
    }

    private static QuotaAnswer read(String text) {
        String[] parts = text.split(",", -1);
        if (parts.length != 10) {
            throw new IllegalArgumentException(
                    "the table has an answer that is not known: \"" + Text.printable(text) + '"');
        }
        return new QuotaAnswer(
                Long.parseLong(parts[0]),
                Long.parseLong(parts[1]),
                new QuotaGrant(
                        Long.parseLong(parts[2]),
                        Long.parseLong(parts[3]),
                        Long.parseLong(parts[4]),
                        Long.parseLong(parts[5]),
                        Integer.parseInt(parts[6]),
                        Long.parseLong(parts[7]),
                        parts[9].isEmpty() ? null : TermsText.read(parts[9]),
                        parts[8].equals("1")));
    }

    private String text() {
        return sequence + "," + seen + ',' + grant.permits() + ',' + grant.waitNanos() + ',' + grant.remaining() + ','
                + grant.resetNanos() + ',' + grant.sharers() + ',' + grant.storeNanos() + ','
                + (grant.conflict() ? 1 : 0) + ',' + (grant.other() == null ? "" : TermsText.of(grant.other()));
    }
}
