namespace Telemetry.Protocol.Configuration;

/// <summary>What is wrong with a configuration, gathered in whatever order it is found.</summary>
internal sealed class Mistakes
{
    private readonly List<(Place Place, string Text)> _all = [];

    public int Count => _all.Count;

    public void Add(Place place, string mistake) => _all.Add((place, mistake));

    /// <summary>In the order of the lines, for people who go through the file.</summary>
    public IReadOnlyList<string> InOrder() => [.. _all.OrderBy(mistake => mistake.Place.Line).Select(mistake => $"{mistake.Place}: {mistake.Text}")];
}

/// <summary>Where something is set.</summary>
/// <param name="Source">A file, or what else there is.</param>
/// <param name="Line">From 1; 0 where there are no lines.</param>
internal readonly record struct Place(string Source, int Line)
{
    public override string ToString() => Line == 0 ? Source : $"{Source}:{Line}";
}
