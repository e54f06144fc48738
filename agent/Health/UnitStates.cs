namespace Telemetry.Agent.Health;

/// <summary>Telegraf's numbers for systemd's words. -1: a word that has none.</summary>
internal static class UnitStates
{
    private static readonly string[] Loads = ["loaded", "stub", "not-found", "bad-setting", "error", "merged", "masked"];

    private static readonly string[] Actives = ["active", "reloading", "inactive", "failed", "activating", "deactivating"];

    // By sort of unit; a word that several sorts have is where it came first.
    private static readonly (int First, string[] Words)[] Subs =
    [
        (0x00, [
            "running", "dead", "start-pre", "start", "exited", "reload", "stop", "stop-watchdog", "stop-sigterm", "stop-sigkill", "stop-post",
            "final-sigterm", "failed", "auto-restart", "condition", "cleaning",
        ]),
        (0x10, ["waiting", "reload-signal", "reload-notify", "final-watchdog", "dead-before-auto-restart", "failed-before-auto-restart", "dead-resources-pinned", "auto-restart-queued"]),
        (0x20, ["tentative", "plugged"]),
        (0x30, [
            "mounting", "mounting-done", "mounted", "remounting", "unmounting", "remounting-sigterm", "remounting-sigkill", "unmounting-sigterm",
            "unmounting-sigkill",
        ]),
        (0x50, ["abandoned"]),
        (0x60, ["active"]),
        (0x70, ["start-chown", "start-post", "listening", "stop-pre", "stop-pre-sigterm", "stop-pre-sigkill", "final-sigkill"]),
        (0x80, ["activating", "activating-done", "deactivating", "deactivating-sigterm", "deactivating-sigkill"]),
        (0xa0, ["elapsed"]),
    ];

    public static int Load(ReadOnlySpan<byte> word) => IndexOf(Loads, word);

    public static int Active(ReadOnlySpan<byte> word) => IndexOf(Actives, word);

    public static int Sub(ReadOnlySpan<byte> word)
    {
        foreach (var (first, words) in Subs)
        {
            if (IndexOf(words, word) is var index and >= 0)
                return first + index;
        }

        return -1;
    }

    public static string LoadWord(int code) => Loads[code];

    public static string ActiveWord(int code) => Actives[code];

    public static string SubWord(int code)
    {
        var (first, words) = Array.FindLast(Subs, sort => sort.First <= code);
        return words[code - first];
    }

    private static int IndexOf(string[] words, ReadOnlySpan<byte> word)
    {
        for (var i = 0; i < words.Length; i++)
        {
            if (System.Text.Ascii.Equals(word, words[i]))
                return i;
        }

        return -1;
    }
}
