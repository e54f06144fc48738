namespace Telemetry.Protocol.Configuration;

/// <summary>How far a mistyped name is from a right one (Levenshtein 1966), on one row.</summary>
internal static class EditDistance
{
    /// <summary>Characters to insert, delete or replace to make one name of the other.</summary>
    public static int Between(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 0; i < left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i + 1;
            for (var j = 0; j < right.Length; j++)
            {
                var substituted = diagonal + (left[i] == right[j] ? 0 : 1);
                diagonal = row[j + 1];
                row[j + 1] = Math.Min(substituted, 1 + Math.Min(row[j], row[j + 1]));
            }
        }

        return row[^1];
    }
}
