namespace Telemetry.Agent.Health;

/// <summary>Processes by their state: the letters of proc_pid_stat(5).</summary>
internal struct ProcessCounts
{
    private long _blocked, _zombies, _stopped, _running, _sleeping, _unknown, _dead, _paging, _threads, _idle, _parked;

    public long Total { get; private set; }

    public void Add(byte state, long threads)
    {
        Total++;
        _threads += threads;
        switch ((char)state)
        {
            case 'R':
                _running++;
                break;
            case 'S':
                _sleeping++;
                break;
            case 'D':
                _blocked++;
                break;
            case 'Z':
                _zombies++;
                break;
            case 'T' or 't':
                _stopped++;
                break;
            case 'I':
                _idle++;
                break;
            case 'X' or 'x':
                _dead++;
                break;
            case 'W':
                _paging++;
                break;
            case 'P':
                _parked++;
                break;
            default:
                _unknown++;
                break;
        }
    }

    /// <remarks>Parked ones are told only when there are some, as Telegraf does.</remarks>
    public readonly HealthField[] ToFields()
    {
        HealthField[] fields =
        [
            HealthField.Of("blocked", _blocked),
            HealthField.Of("zombies", _zombies),
            HealthField.Of("stopped", _stopped),
            HealthField.Of("running", _running),
            HealthField.Of("sleeping", _sleeping),
            HealthField.Of("total", Total),
            HealthField.Of("unknown", _unknown),
            HealthField.Of("dead", _dead),
            HealthField.Of("paging", _paging),
            HealthField.Of("total_threads", _threads),
            HealthField.Of("idle", _idle),
        ];
        return _parked == 0 ? fields : [.. fields, HealthField.Of("parked", _parked)];
    }
}
