/** A record in the default package; compiled where javac knows them. */
public class Points {
    public record Point(int x, java.util.List<String> names) {
    }

    public Point moved(Point point) {
        return new Point(point.x() + 1, point.names());
    }
}
