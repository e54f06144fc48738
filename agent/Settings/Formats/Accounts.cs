namespace Telemetry.Agent.Settings.Formats;

/// <summary>passwd(5), group(5), shadow(5): by account, then by field; members of a group by their names.</summary>
internal static class Accounts
{
    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var account in root.Children)
        {
            // "+name", "-name" and "+@netgroup" of NIS: the label says which, the value whom.
            string[] name = account.Value is { } whom ? [account.Label, whom] : [account.Label];
            if (account.Children.Count == 0)
                settings.Add("", name);
            foreach (var field in account.Children)
            {
                if (field.Label == "user")
                    settings.Add("", [.. name, "user", field.Text]);
                else
                    settings.Add(field.Text, [.. name, field.Label]);
            }
        }
    }
}
