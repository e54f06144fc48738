using Telemetry.Protocol.Model;

namespace Telemetry.Agent.Settings.Formats;

/// <summary>Files with one record a line, keyed by what identifies the record.</summary>
internal static class Tables
{
    /// <summary>hosts(5): by address and canonical name; the aliases are the value.</summary>
    public static void ReadHosts(SettingNode root, SettingList settings)
    {
        var lines = root.Children.Where(line => line.IsNumbered).ToList();
        foreach (var line in lines)
            settings.Add(string.Join(' ', line.Texts("alias")), line.TextOf("ipaddr"), line.TextOf("canonical"));

        // The first line of an address or a name counts; among lines that share none, order means nothing.
        var names = lines.SelectMany(NamesOf).CountBy(name => name).ToDictionary();
        foreach (var line in lines.Where(line => NamesOf(line).Any(name => names[name] > 1)))
            settings.AddToOrder($"{line.TextOf("ipaddr")} {line.TextOf("canonical")}");

        static IEnumerable<string> NamesOf(SettingNode line) => line.Texts("canonical").Concat(line.Texts("alias")).Append(line.TextOf("ipaddr")).Distinct();
    }

    /// <summary>fstab(5): by mount point, swap by its device; then by field, options by name.</summary>
    public static void ReadFstab(SettingNode root, SettingList settings)
    {
        var lines = root.Children.Where(line => line.IsNumbered).ToLookup(PlaceOf);
        foreach (var (place, line) in lines.SelectMany(lines => lines.Select(line => (lines.Key, line))))
        {
            // What is mounted later hides what was mounted there: of several lines all options stand together.
            var options = line.All("opt").Select(option => option.Text).ToList();
            if (lines[place].Count() > 1)
                settings.Add(string.Join(',', options), place, SettingKey.Order);
            else if (MountOptions.InOrder(options) is { Count: > 1 } ordered)
                settings.Add(string.Join(',', ordered), place, SettingKey.Order);
            foreach (var field in line.Children.Where(field => field.Label is not ("file" or "spec") || field.Text != place))
            {
                if (field.Label is "opt")
                    settings.Add(field.TextOf("value"), place, "opt", field.Text);
                else if (field.All("value").Any())
                    settings.Add($"{field.Text}={field.TextOf("value")}", place, field.Label);
                else if (!field.IsComment)
                    settings.Add(field.Text, place, field.Label);
            }
        }
    }

    /// <summary>pam.d(5): by type, control and module; the arguments are the value. A stack is worked through in order.</summary>
    public static void ReadPam(SettingNode root, SettingList settings)
    {
        foreach (var line in root.Children.Where(line => !line.IsComment))
        {
            if (line.Label == "include")
            {
                settings.Add("", "@include", line.Text);
                settings.AddToOrder("@include " + line.Text);
                continue;
            }

            var type = (line.All("optional").Any() ? "-" : "") + line.TextOf("type");
            string[] name = [type, line.TextOf("control"), line.TextOf("module")];
            settings.Add(string.Join(' ', line.Texts("argument")), name);
            settings.AddToOrder(string.Join(' ', name));
        }
    }

    /// <summary>limits.conf(5): by domain, type and item.</summary>
    public static void ReadLimits(SettingNode root, SettingList settings)
    {
        foreach (var line in root.All("domain"))
            settings.Add(line.TextOf("value"), line.Text, line.TextOf("type"), line.TextOf("item"));
    }

    /// <summary>crontab(5): jobs by user and command, the schedule is the value; variables by name. Those count for the jobs that follow.</summary>
    public static void ReadCrontab(SettingNode root, SettingList settings)
    {
        var variables = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var line in root.Children.Where(line => !line.IsComment))
        {
            if (line.Label != "entry")
            {
                settings.Add(line.Text, line.Label);
                variables.Add(line.Label);
                continue;
            }

            Mark();

            var schedule = line.All("schedule").Any()
                ? "@" + line.TextOf("schedule")
                : string.Join(' ', line.All("time").SelectMany(time => time.Children).Select(field => field.Text));
            string[] job = ["entry", .. line.Texts("user"), line.Text];
            settings.Add(string.Concat(line.Texts("prefix")) + schedule, job);
            settings.AddBeside(job);
        }

        Mark();

        void Mark()
        {
            foreach (var variable in variables)
                settings.AddMark(variable);
            variables.Clear();
        }
    }

    /// <summary>nsswitch.conf(5): by database.</summary>
    public static void ReadNsswitch(SettingNode root, SettingList settings)
    {
        foreach (var database in root.All("database"))
        {
            settings.Add(
                string.Join(' ', database.Children.Where(part => !part.IsComment).Select(part => part.Label == "reaction" ? Reaction(part) : part.Text)),
                database.Text);
        }
    }

    /// <summary>resolv.conf(5): by keyword, options by name.</summary>
    public static void ReadResolv(SettingNode root, SettingList settings)
    {
        foreach (var line in root.Children.Where(line => !line.IsComment))
        {
            var words = line.Children.Where(word => !word.IsComment).ToList();
            if (line.Label == "options")
            {
                foreach (var option in words)
                    settings.Add(Negated(option) + option.Text, line.Label, option.Label);
            }
            else
            {
                settings.Add(words.Count == 0 ? line.Text : string.Join(' ', words.Select(Word)), line.Label);

                // The last of the two counts.
                if (line.Label is "search" or "domain")
                    settings.AddToOrder(line.Label);
            }
        }

        static string Word(SettingNode word) => string.Join('/', word.Texts("netmask").Prepend(word.Value ?? word.Label));
    }

    private static string PlaceOf(SettingNode line) => line.TextOf("file") is ['/', ..] place ? place : line.TextOf("spec");

    private static string Reaction(SettingNode reaction) =>
        "[" + string.Join(' ', reaction.All("status").Select(status => $"{Negated(status)}{status.Text}={status.TextOf("action")}")) + "]";

    private static string Negated(SettingNode node) => node.All("negate").Any() ? "!" : "";
}
