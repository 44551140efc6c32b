package dev.levee.simulator.report;

import java.util.List;

/** One line for each subject: its mean as a dot, its 95 % interval as a bar, its figure beside it. */
final class DotPlot {
    private static final int WIDTH = 800;
    private static final int ROW = 26;
    private static final int LEFT = 240;
    private static final int RIGHT = 110;
    private static final int TOP = 46;

    private DotPlot() {}

    static String of(String title, Results results, Measure measure) {
        List<Subject> subjects = results.subjects().stream()
                .filter(subject ->
                        !Double.isNaN(results.interval(subject, measure).mean()))
                .toList();
        double least = Double.MAX_VALUE;
        double most = -Double.MAX_VALUE;
        for (Subject subject : subjects) {
            Interval interval = results.interval(subject, measure);
            least = Math.min(least, interval.mean() - interval.half());
            most = Math.max(most, interval.mean() + interval.half());
        }
        int bottom = TOP + ROW * subjects.size();
        Svg svg = new Svg(WIDTH, bottom + 48, title);
        svg.text(16, 26, "start", "title", title);
        Axis axis = Axis.over(least, most, true, LEFT, WIDTH - RIGHT);
        for (double tick : axis.ticks()) {
            svg.line(axis.place(tick), TOP, axis.place(tick), bottom, "grid");
            svg.text(axis.place(tick), bottom + 16, "middle", "small", Axis.label(tick));
        }
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, bottom + 36, "middle", "small", axisTitle(measure));
        for (int i = 0; i < subjects.size(); i++) {
            Subject subject = subjects.get(i);
            Interval interval = results.interval(subject, measure);
            double y = TOP + ROW * (i + 0.5);
            boolean shipped = subject.role() == Subject.Role.SHIPPED;
            String colour = Svg.colour(shipped ? 0 : 7);
            svg.text(LEFT - 12, y + 4.5, "end", "", subject.name());
            svg.line(
                    axis.place(interval.mean() - interval.half()),
                    y,
                    axis.place(interval.mean() + interval.half()),
                    y,
                    "line " + colour);
            svg.dot(axis.place(interval.mean()), y, shipped ? 5 : 4, colour);
            svg.text(WIDTH - RIGHT + 14, y + 4.5, "start", "", measure.format(interval.mean()));
        }
        return svg.toString();
    }

    private static String axisTitle(Measure measure) {
        return measure.name()
                + (measure.direction() > 0 ? ": more is better" : measure.direction() < 0 ? ": less is better" : "");
    }
}
