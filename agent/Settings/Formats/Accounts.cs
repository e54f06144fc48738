namespace Telemetry.Agent.Settings.Formats;

/// <summary>passwd(5), group(5), shadow(5): by account, then by field; members of a group by their names.</summary>
internal static class Accounts
{
    public static void Read(SettingNode root, SettingList settings)
    {
        foreach (var account in root.Children)
        {
            if (account.Children.Count == 0)
                settings.Add(account.Text, account.Label);
            foreach (var field in account.Children)
            {
                if (field.Label == "user")
                    settings.Add("", account.Label, "user", field.Text);
                else
                    settings.Add(field.Text, account.Label, field.Label);
            }
        }
    }
}
