using Telemetry.Agent.Health;

namespace Telemetry.Agent.Checks;

/// <summary><c>check</c>: what checks came to since the sample before, and what they measured. Kept until a sample takes it.</summary>
internal sealed class CheckProbe : IProbe
{
    /// <summary>Of one sample; the rest comes with the next.</summary>
    private const int MostPoints = 500;

    /// <summary>While nobody wants samples: the newest count.</summary>
    private const int MostWaiting = 5_000;

    private readonly Lock _gate = new();
    private readonly Queue<HealthPoint> _points = [];
    private int _dropped;

    public string Name => "check";

    public void Add(DeclaredCheck check, CheckResult result, TimeSpan duration)
    {
        var points = CheckPoints.Of(check, result, duration);
        lock (_gate)
        {
            foreach (var point in points)
                _points.Enqueue(point);
            for (; _points.Count > MostWaiting; _dropped++)
                _points.Dequeue();
        }
    }

    public void Read(ProbeReading reading)
    {
        lock (_gate)
        {
            for (var i = 0; i < MostPoints && _points.TryDequeue(out var point); i++)
                reading.Points.Add(point);
            if (_dropped > 0)
                reading.Skip($"{_dropped} values of checks gave way to newer ones");
            _dropped = 0;
        }
    }
}
