using Telemetry.Protocol.Model;
using Telemetry.Protocol.Policies;
using Telemetry.Protocol.Text;

namespace Telemetry.Collector.Layers;

/// <summary>
/// Numbers of users and groups that several accounts have: who has the file of one would have that of the other. A resolution names whose
/// accounts stay, and the others are left out: every setting of them, and of the files those stand in the content, for it has them too.
/// </summary>
internal sealed partial class Composition
{
    private readonly SortedDictionary<string, SettledNumber> _numbers = new(StringComparer.Ordinal);

    /// <summary>
    /// A layer that adds an account which is there, but is left out for another, was made on top of a composition without it: if it says
    /// nothing of the content of the file, for of that none was expected there. Else it stands beside who added the account first.
    /// </summary>
    private void LeaveOutWhatIsAddedAnew(int index)
    {
        if (!SettlesAccounts)
            return;

        foreach (var file in AccountFile.All)
        {
            var key = EntryKey.OfPath(file.Path);
            if (TreeReader.FindValue(nodes, layers[index].After.File, key) is not null && !ContentBySettings.Is(TreeReader.Find(nodes, layers[index].Before.File, key)))
                continue;

            var added = TreeReader.Entries(nodes, layers[index].After.Setting, SettingKey.PrefixOf(key))
                .Where(entry => file.AccountOf(entry.Key) is not null && TreeReader.FindValue(nodes, layers[index].Before.Setting, entry.Key) is null)
                .Select(entry => entry.Key)
                .ToHashSet();
            LeaveOut(file, index, account => added.Contains(account.Setting));
        }
    }

    private void LeaveOutAccounts()
    {
        if (!SettlesAccounts)
            return;

        foreach (var file in AccountFile.All)
            LeaveOut(file, layers.Count, _ => true);
        foreach (var file in _numbers.Values.SelectMany(settled => settled.LeftOut).Select(setting => SettingKey.FileOf(setting.Bytes)).Distinct())
            ExpectSettingsOnly(file);
    }

    private bool SettlesAccounts => resolutions.Keys.Any(key => key.StartsWith(AccountFile.ConflictPrefix, StringComparison.Ordinal));

    /// <param name="until">Only layers before this one have a say.</param>
    private void LeaveOut(AccountFile file, int until, Func<Account, bool> isMeant)
    {
        foreach (var clash in Clashes(file).ToList())
        {
            if (WhoAreRight(clash, until) is not { Count: > 0 } right || !clash.Accounts.Any(isMeant))
                continue;

            if (!_numbers.TryGetValue(clash.Key, out var settled))
                _numbers[clash.Key] = settled = new SettledNumber(clash.File, clash.Number);
            settled.Right = right;
            foreach (var wrong in clash.Accounts.Except(right).Where(isMeant))
                LeaveOut(settled, wrong);
        }
    }

    private void LeaveOut(SettledNumber settled, Account account)
    {
        settled.Wrong[account.Setting] = account;
        var gone = settled.File.Holders.SelectMany(holder => SettingsOf(holder).Keys)
            .Concat(_contested.Keys.Where(entry => entry.Kind == EntryKind.Setting).Select(entry => entry.Key))
            .Where(setting => settled.File.IsOf(setting, account.Name))
            .ToHashSet();
        foreach (var setting in gone)
        {
            var entry = (EntryKind.Setting, setting);
            _contested.Remove(entry);
            settled.LeftOut.Add(setting);
            if (KeyText.Format(EntryKind.Setting, setting.Bytes) is var text && resolutions.ContainsKey(text))
                _settled[text] = $"left out with {account.Text}";
            if (TreeReader.FindValue(nodes, start.Roots.Setting, setting) is null)
                _written.Remove(entry);
            else
                _written[entry] = new Write(settled.Right[0].Layer, null);
        }
    }

    /// <returns>Whether it is a file of which only settings are expected now.</returns>
    private bool ExpectSettingsOnly(EntryKey file)
    {
        var entry = (EntryKind.File, file);
        var current = _written.TryGetValue(entry, out var written) ? written : new Write(Base, TreeReader.FindValue(nodes, start.Roots.File, file));
        if (_contested.ContainsKey(entry) || Decode(current.Value) is not { IsStable: true, Type: FileType.File } whole)
            return false;

        _written[entry] = current with { Value = ContentBySettings.Of(whole).Encode() };
        if (!_shared.Contains(file))
            _shared.Add(file);
        return true;
    }

    private void AddAccountConflicts()
    {
        // What is no number to this is one to some program.
        foreach (var file in AccountFile.All)
        {
            foreach (var (setting, write) in SettingsOf(file.Path).Where(setting => setting.Value.Layer != Base))
            {
                if (file.AccountOf(setting) is { } name && Decode(write.Value) is { IsStable: true } value && AccountFile.NumberOf(value) is null)
                    _conflicts.Add(new LayerConflict(ConflictKind.Account, KeyText.Format(EntryKind.Setting, setting.Bytes), null, [Side(write.Layer, null, $"{file.Field} of {EscapedText.Of(name)} is no number: {value.Value?.ToString() ?? "a text"}")]));
            }
        }

        foreach (var clash in AccountFile.All.SelectMany(Clashes).Where(clash => WhoAreRight(clash, layers.Count).Count == 0))
        {
            _conflicts.Add(new LayerConflict(
                ConflictKind.Account,
                clash.Key,
                null,
                [.. clash.Accounts.SelectMany(account => OwnersOf(account, clash.Number).Select(layer => Side(layer, null, $"{clash.File.Field} {clash.Number} is {account.Text}")))]));
        }

        foreach (var (key, settled) in _numbers)
            _settled[key] = Describe(settled);
    }

    /// <summary>Numbers that are given twice, by a layer at least once. Of what is itself in conflict nobody knows which number it has.</summary>
    private IEnumerable<Clash> Clashes(AccountFile file) => SettingsOf(file.Path)
        .Where(setting => !_contested.ContainsKey((EntryKind.Setting, setting.Key)) && file.AccountOf(setting.Key) is not null)
        .Select(setting => (Account: new Account(setting.Key, file.AccountOf(setting.Key)!, setting.Value.Layer), Number: AccountFile.NumberOf(Decode(setting.Value.Value))))
        .Where(account => account.Number is not null)
        .GroupBy(account => account.Number!, account => account.Account)
        .Where(number => number.Count() > 1 && number.Any(account => _written.ContainsKey((EntryKind.Setting, account.Setting))))
        .Select(number => new Clash(file, number.Key, [.. number]));

    /// <returns>Those whose accounts stay, by a resolution; empty: there is none.</returns>
    private List<Account> WhoAreRight(Clash clash, int until)
    {
        var names = resolutions.GetValueOrDefault(clash.Key)?.Split('+') ?? [];
        return names.All(name => name == LineOf(Base) || layers.Any(layer => layer.Name.Line == name))
            ? [.. clash.Accounts.Where(account => OwnersOf(account, clash.Number).Any(layer => layer < until && names.Contains(LineOf(layer))))]
            : [];
    }

    /// <summary>Who has the account with this number: whoever came first, and all that would have given it the same.</summary>
    private IEnumerable<int> OwnersOf(Account account, string number) => Enumerable.Range(0, layers.Count)
        .Where(layer => AccountFile.NumberOf(Decode(TreeReader.FindValue(nodes, layers[layer].After.Setting, account.Setting))) == number)
        .Append(account.Layer)
        .Distinct()
        .Order();

    /// <summary>The settings of a file as they are so far, and who wrote them.</summary>
    private SortedDictionary<EntryKey, Write> SettingsOf(string path)
    {
        var file = SettingKey.PrefixOf(EntryKey.OfPath(path));
        var settings = new SortedDictionary<EntryKey, Write>(
            TreeReader.Entries(nodes, start.Roots.Setting, file).ToDictionary(entry => entry.Key, entry => new Write(Base, entry.Value)));
        foreach (var ((kind, key), write) in _written)
        {
            if (kind != EntryKind.Setting || !key.IsUnder(file))
                continue;
            settings.Remove(key);
            if (write.Value is not null)
                settings.Add(key, write);
        }

        return settings;
    }

    private string Describe(SettledNumber settled)
    {
        var number = $"{settled.File.Field} {settled.Number}";
        var text = $"{number} is {string.Join(" and ", settled.Right.Select(Described))}";
        if (settled.Wrong.Count == 0)
            return text + ", who share it";

        var files = settled.LeftOut.Select(setting => KeyText.Format(EntryKind.File, SettingKey.FileOf(setting.Bytes).Bytes)).Distinct().Order(StringComparer.Ordinal);
        text += $"; left out: {string.Join(" and ", settled.Wrong.Values.Select(Described))}, {Counted.Of(settled.LeftOut.Count, "setting")} of {string.Join(" and ", files)}";

        // Of the base's files nobody looks at each.
        var losers = settled.Wrong.Values.Select(account => account.Layer).Where(layer => layer != Base).ToHashSet();
        var owned = _written.Count(written => written.Key.Kind == EntryKind.File && losers.Contains(written.Value.Layer) && IsOwned(Decode(written.Value.Value)));
        return owned == 0 ? text : $"{text}; {Counted.Of(owned, "file")} of {string.Join(" and ", losers.Order().Select(layer => layers[layer].Name))} with {number} will be {settled.Right[0].Text}'s";

        bool IsOwned(Fingerprint? file) => (settled.File.Field == "uid" ? file?.Uid : file?.Gid)?.ToString(System.Globalization.CultureInfo.InvariantCulture) == settled.Number;
    }

    private string Described(Account account) => $"{account.Text} of {Side(account.Layer, null).Layer}";

    /// <param name="Setting">That has its number.</param>
    /// <param name="Layer">That gave it the number.</param>
    private sealed record Account(EntryKey Setting, byte[] Name, int Layer)
    {
        public string Text => EscapedText.Of(Name);

        public bool Equals(Account? other) => Setting == other?.Setting;

        public override int GetHashCode() => Setting.GetHashCode();
    }

    /// <param name="Accounts">Two or more, by name.</param>
    private sealed record Clash(AccountFile File, string Number, IReadOnlyList<Account> Accounts)
    {
        public string Key => File.ConflictOf(Number);
    }

    /// <summary>A number that a resolution gives to some accounts, and what was left out for it.</summary>
    private sealed class SettledNumber(AccountFile file, string number)
    {
        public AccountFile File => file;

        public string Number => number;

        public List<Account> Right { get; set; } = [];

        public SortedDictionary<EntryKey, Account> Wrong { get; } = [];

        public HashSet<EntryKey> LeftOut { get; } = [];
    }
}
