using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Telemetry.Agent.Health;

/// <summary>Who is logged in: the records of utmp(5).</summary>
internal static class LoginRecords
{
    private const short UserProcess = 7;
    private const int NameOffset = 44, NameLength = 32;

    // Times have 64 bits on arm64.
    private static readonly int Length = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 400 : 384;

    /// <returns>Logins, and how many users they are of.</returns>
    public static (int Logins, int Users) Count(ReadOnlySpan<byte> records)
    {
        var logins = 0;
        var users = new HashSet<string>(StringComparer.Ordinal);
        for (; records.Length >= Length; records = records[Length..])
        {
            if (BinaryPrimitives.ReadInt16LittleEndian(records) != UserProcess)
                continue;
            var name = records.Slice(NameOffset, NameLength);
            var end = name.IndexOf((byte)0);
            users.Add(Encoding.Latin1.GetString(end < 0 ? name : name[..end]));
            logins++;
        }

        return (logins, users.Count);
    }
}
