package dev.levee.simulator.report;

import java.util.Locale;

/** Writes a picture that reads well on light and on dark pages. */
final class Svg {
    /** Colours that are distinguishable on white and on black, also with colour blindness. */
    private static final int COLOURS = 8;

    private static final String STYLE = """
            <style>
              text { font: 13px -apple-system, "Segoe UI", "DejaVu Sans", Helvetica, Arial, sans-serif; fill: #24292f; }
              .title { font-weight: 600; font-size: 15px; }
              .small { font-size: 11px; fill: #57606a; }
              .grid { stroke: #d0d7de; stroke-width: 1; }
              .axis { stroke: #57606a; stroke-width: 1; }
              .paper { fill: #ffffff; }
              .c0 { stroke: #0969da; fill: #0969da; } .c1 { stroke: #cf222e; fill: #cf222e; }
              .c2 { stroke: #1a7f37; fill: #1a7f37; } .c3 { stroke: #9a6700; fill: #9a6700; }
              .c4 { stroke: #8250df; fill: #8250df; } .c5 { stroke: #bf3989; fill: #bf3989; }
              .c6 { stroke: #0e7a83; fill: #0e7a83; } .c7 { stroke: #57606a; fill: #57606a; }
              .line { fill: none; stroke-width: 2; } .bound { stroke-dasharray: 5 4; } text.label { stroke: none; }
              @media (prefers-color-scheme: dark) {
                text { fill: #e6edf3; } .small { fill: #9198a1; } .paper { fill: #0d1117; }
                .grid { stroke: #30363d; } .axis { stroke: #9198a1; }
                .c0 { stroke: #58a6ff; fill: #58a6ff; } .c1 { stroke: #ff7b72; fill: #ff7b72; }
                .c2 { stroke: #3fb950; fill: #3fb950; } .c3 { stroke: #d29922; fill: #d29922; }
                .c4 { stroke: #bc8cff; fill: #bc8cff; } .c5 { stroke: #f778ba; fill: #f778ba; }
                .c6 { stroke: #39c5cf; fill: #39c5cf; } .c7 { stroke: #9198a1; fill: #9198a1; }
                .line { fill: none; } text.label { stroke: none; }
              }
            </style>
            """;

    private final StringBuilder body = new StringBuilder();
    private final int width;
    private final int height;
    private final String description;

    Svg(int width, int height, String description) {
        this.width = width;
        this.height = height;
        this.description = description;
    }

    static String colour(int index) {
        return "c" + index % COLOURS;
    }

    void text(double x, double y, String anchor, String style, String text) {
        body.append(String.format(
                Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">%s</text>%n",
                x,
                y,
                anchor,
                style,
                escape(text)));
    }

    void turnedText(double x, double y, String style, String text) {
        body.append(String.format(
                Locale.ROOT,
                "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\" class=\"%s\">%s</text>%n",
                x,
                y,
                style,
                escape(text)));
    }

    void line(double x1, double y1, double x2, double y2, String style) {
        body.append(String.format(
                Locale.ROOT,
                "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>%n",
                x1,
                y1,
                x2,
                y2,
                style));
    }

    void dot(double x, double y, double radius, String style) {
        body.append(String.format(
                Locale.ROOT, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\" class=\"%s\"/>%n", x, y, radius, style));
    }

    void path(CharSequence points, String style) {
        body.append(String.format(Locale.ROOT, "<path d=\"%s\" class=\"%s\"/>%n", points, style));
    }

    @Override
    public String toString() {
        return String.format(
                        Locale.ROOT,
                        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\""
                                + " role=\"img\">%n<title>%s</title>%n",
                        width,
                        height,
                        width,
                        height,
                        escape(description))
                + STYLE
                + String.format(
                        Locale.ROOT, "<rect class=\"paper\" width=\"%d\" height=\"%d\" rx=\"6\"/>%n", width, height)
                + body
                + "</svg>\n";
    }

    static String escape(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
