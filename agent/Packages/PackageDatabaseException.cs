namespace Telemetry.Agent.Packages;

/// <summary>A package database, or a part of it, can't be read; the message says what, for people.</summary>
/// <remarks>Of a type of its own: whoever is handed files may fail at writing, and that is not the database's mistake.</remarks>
internal sealed class PackageDatabaseException(string message) : Exception(message)
{
    public static T Instead<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (IOException e)
        {
            throw new PackageDatabaseException(e.Message);
        }
    }
}
