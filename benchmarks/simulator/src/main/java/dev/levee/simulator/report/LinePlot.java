package dev.levee.simulator.report;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Curves over a number, each with its name at its end. */
public final class LinePlot {
    private static final int WIDTH = 800;
    private static final int HEIGHT = 420;
    private static final int LEFT = 70;
    private static final int RIGHT = 220;
    private static final int TOP = 46;
    private static final int BOTTOM = 58;
    private static final int LABEL_HEIGHT = 15;

    private static final class Series {
        private final String name;
        private final double[] x;
        private final double[] y;
        private final boolean bound;
        private final boolean dots;

        Series(String name, double[] x, double[] y, boolean bound, boolean dots) {
            this.name = name;
            this.x = x.clone();
            this.y = y.clone();
            this.bound = bound;
            this.dots = dots;
        }
    }

    private final String title;
    private final String xTitle;
    private final String yTitle;
    private final List<Series> series = new ArrayList<>();
    private boolean logarithmic = true;
    private double least = Double.NaN;

    /** A plot without curves; the titles of the axes say their units. */
    public LinePlot(String title, String xTitle, String yTitle) {
        this.title = title;
        this.xTitle = xTitle;
        this.yTitle = yTitle;
    }

    /** Adds a curve. */
    public LinePlot line(String name, double[] x, double[] y) {
        series.add(new Series(name, x, y, false, false));
        return this;
    }

    /** Adds a curve that is a bound or comes from theory: dashed. */
    public LinePlot bound(String name, double[] x, double[] y) {
        series.add(new Series(name, x, y, true, false));
        return this;
    }

    /** Adds measured points without a line. */
    public LinePlot dots(String name, double[] x, double[] y) {
        series.add(new Series(name, x, y, false, true));
        return this;
    }

    /** Keeps the vertical axis even, whatever the values span. */
    public LinePlot even() {
        logarithmic = false;
        return this;
    }

    /** Cuts off what is below. */
    public LinePlot from(double value) {
        least = value;
        return this;
    }

    /** Adds the curves of all subjects of the results. */
    public LinePlot curves(Results results, String name, double[] x) {
        for (Subject subject : results.subjects()) {
            Interval[] intervals = results.curve(subject, name);
            double[] y = new double[intervals.length];
            for (int i = 0; i < y.length; i++) {
                y[i] = intervals[i].mean();
            }
            series.add(new Series(subject.name(), x, y, subject.role() != Subject.Role.SHIPPED, false));
        }
        return this;
    }

    /** The picture. */
    public String svg() {
        double minX = Double.MAX_VALUE;
        double maxX = -Double.MAX_VALUE;
        double minY = Double.MAX_VALUE;
        double maxY = -Double.MAX_VALUE;
        for (Series one : series) {
            for (int i = 0; i < one.x.length; i++) {
                if (shown(one.y[i])) {
                    minX = Math.min(minX, one.x[i]);
                    maxX = Math.max(maxX, one.x[i]);
                    minY = Math.min(minY, one.y[i]);
                    maxY = Math.max(maxY, one.y[i]);
                }
            }
        }
        Svg svg = new Svg(WIDTH, HEIGHT, title);
        Axis x = Axis.along(minX, maxX, LEFT, WIDTH - RIGHT - 8);
        Axis y = Axis.over(minY, maxY, logarithmic, HEIGHT - BOTTOM, TOP);
        svg.text(16, 26, "start", "title", title);
        for (double tick : y.ticks()) {
            svg.line(LEFT, y.place(tick), WIDTH - RIGHT, y.place(tick), "grid");
            svg.text(LEFT - 8, y.place(tick) + 4, "end", "small", Axis.label(tick));
        }
        for (double tick : x.ticks()) {
            svg.line(x.place(tick), HEIGHT - BOTTOM, x.place(tick), HEIGHT - BOTTOM + 4, "axis");
            svg.text(x.place(tick), HEIGHT - BOTTOM + 18, "middle", "small", Axis.label(tick));
        }
        svg.line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "axis");
        svg.text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 16, "middle", "small", xTitle);
        svg.turnedText(18, (TOP + HEIGHT - BOTTOM) / 2.0, "small", yTitle);
        draw(svg, x, y);
        return svg.toString();
    }

    private boolean shown(double value) {
        return !Double.isNaN(value) && !(value < least);
    }

    private void draw(Svg svg, Axis x, Axis y) {
        List<double[]> ends = new ArrayList<>(); // place of the label, index of the series
        for (int s = 0; s < series.size(); s++) {
            Series one = series.get(s);
            String colour = Svg.colour(s);
            StringBuilder path = new StringBuilder();
            double end = Double.NaN;
            for (int i = 0; i < one.x.length; i++) {
                if (!shown(one.y[i])) {
                    continue;
                }
                end = y.place(one.y[i]);
                if (one.dots) {
                    svg.dot(x.place(one.x[i]), end, 3.5, colour);
                }
                path.append(
                        String.format(Locale.ROOT, "%s%.1f %.1f ", path.isEmpty() ? "M" : "L", x.place(one.x[i]), end));
            }
            if (!one.dots) {
                svg.path(path.toString().trim(), "line " + colour + (one.bound ? " bound" : ""));
            }
            if (!Double.isNaN(end)) {
                ends.add(new double[] {end, s});
            }
        }
        ends.sort(Comparator.comparingDouble(end -> end[0]));
        spread(ends);
        for (double[] end : ends) {
            int s = (int) end[1];
            svg.text(WIDTH - RIGHT + 8, end[0] + 4, "start", "label " + Svg.colour(s), series.get(s).name);
        }
    }

    /** Moves labels apart that would lie on each other. */
    private static void spread(List<double[]> ends) {
        for (int round = 0; round < 200; round++) {
            boolean moved = false;
            for (int i = 1; i < ends.size(); i++) {
                double overlap = LABEL_HEIGHT - (ends.get(i)[0] - ends.get(i - 1)[0]);
                if (overlap > 0.1) {
                    ends.get(i - 1)[0] -= overlap / 2;
                    ends.get(i)[0] += overlap / 2;
                    moved = true;
                }
            }
            for (double[] end : ends) {
                end[0] = Math.max(TOP, Math.min(HEIGHT - BOTTOM, end[0]));
            }
            if (!moved) {
                return;
            }
        }
    }
}
