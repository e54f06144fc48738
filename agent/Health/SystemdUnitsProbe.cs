using System.Text;
using Telemetry.Agent.Linux;

namespace Telemetry.Agent.Health;

/// <summary><c>systemd_units</c>: the state of every service that systemd has in memory, in Telegraf's numbers. systemd itself is asked, on its bus.</summary>
/// <param name="sockets">The first that is there is asked.</param>
internal sealed class SystemdUnitsProbe(IReadOnlyList<SystemdSocket> sockets) : IProbe
{
    private const int MaxUnits = 2_000;

    public string Name => "systemd_units";

    public void Read(ProbeReading reading)
    {
        if (sockets.FirstOrDefault(socket => File.Exists(socket.Path)) is not { } found)
            return;

        var count = 0;
        SystemdBus.ListUnits(found, (name, load, active, sub) =>
        {
            if (!name.EndsWith(".service"u8) || count == MaxUnits)
                return;
            count++;
            var (loadCode, activeCode, subCode) = (UnitStates.Load(load), UnitStates.Active(active), UnitStates.Sub(sub));
            var unit = Encoding.UTF8.GetString(name);
            if (loadCode < 0 || activeCode < 0 || subCode < 0)
            {
                reading.Skip($"{unit} is in a state that has no number: {Encoding.UTF8.GetString(load)} {Encoding.UTF8.GetString(active)} {Encoding.UTF8.GetString(sub)}");
                return;
            }

            reading.Add(
                Name,
                [HealthField.Of("load_code", (long)loadCode), HealthField.Of("active_code", (long)activeCode), HealthField.Of("sub_code", (long)subCode)],
                [
                    new HealthTag("name", unit),
                    new HealthTag("load", UnitStates.LoadWord(loadCode)),
                    new HealthTag("active", UnitStates.ActiveWord(activeCode)),
                    new HealthTag("sub", UnitStates.SubWord(subCode)),
                ]);
        });
    }
}
