namespace JepaSharp.Kernels.MachineCode;

/// <summary>Runs the machine code of AMX products.</summary>
internal unsafe interface IAmxCode
{
    /// <summary>Runs what <see cref="AmxProduct.Generate"/> makes.</summary>
    void Multiply(int halves, AmxLeft left, TileEnd end, AmxArguments* arguments);

    /// <summary>Runs what <see cref="LeftTiles.Generate"/> makes.</summary>
    void Transpose(TransposeArguments* arguments);
}

/// <summary>The processor itself. Only where <see cref="AmxSupport.IsSupported"/>.</summary>
internal sealed unsafe class AmxCode : IAmxCode
{
    private const int Ends = (int)TileEnd.BiasKeepGelu + 1;

    [ThreadStatic]
    private static bool _isPrepared;

    private readonly delegate* unmanaged[SuppressGCTransition]<AmxArguments*, void>[] _products =
        new delegate* unmanaged[SuppressGCTransition]<AmxArguments*, void>[2 * 2 * Ends];

    private readonly delegate* unmanaged[SuppressGCTransition]<TransposeArguments*, void> _transpose;
    private readonly delegate* unmanaged[SuppressGCTransition]<void> _release;

    private AmxCode()
    {
        if (AmxSupport.Missing is { } missing) throw new PlatformNotSupportedException($"There are no AMX products here: {missing}.");
        var bytes = new List<byte>();
        var starts = new List<(int Slot, int Start)>();
        foreach (var (halves, left, end) in All)
        {
            starts.Add((Slot(halves, left, end), bytes.Count));
            Append(bytes, AmxProduct.Generate(halves, left, end));
        }

        var transpose = bytes.Count;
        Append(bytes, LeftTiles.Generate());
        var release = bytes.Count;
        var code = new Assembler();
        code.ReleaseTiles();
        code.Return();
        Append(bytes, code.ToArray());

        var placed = MappedMemory.PlaceCode(bytes.ToArray());
        foreach (var (slot, start) in starts) _products[slot] = (delegate* unmanaged[SuppressGCTransition]<AmxArguments*, void>)(placed + start);
        _transpose = (delegate* unmanaged[SuppressGCTransition]<TransposeArguments*, void>)(placed + transpose);
        _release = (delegate* unmanaged[SuppressGCTransition]<void>)(placed + release);
    }

    /// <summary>The one there is, made when first asked for.</summary>
    /// <exception cref="PlatformNotSupportedException">There is no AMX here.</exception>
    public static AmxCode Placed => LazyPlaced.Value;

    private static readonly Lazy<AmxCode> LazyPlaced = new(() => new AmxCode());

    /// <summary>All products there are: rows that the processor reads where they lie to any end, tiles to float32.</summary>
    internal static IEnumerable<(int Halves, AmxLeft Left, TileEnd End)> All =>
        from halves in (int[])[1, 2]
        from end in Enum.GetValues<TileEnd>()
        from left in (AmxLeft[])[AmxLeft.Rows, AmxLeft.Tiles]
        where left == AmxLeft.Rows || end is TileEnd.Store or TileEnd.Accumulate
        select (halves, left, end);

    /// <inheritdoc/>
    public void Multiply(int halves, AmxLeft left, TileEnd end, AmxArguments* arguments)
    {
        if (!_isPrepared)
        {
            SignalStack.Enlarge();
            _isPrepared = true;
        }

        _products[Slot(halves, left, end)](arguments);
    }

    /// <inheritdoc/>
    public void Transpose(TransposeArguments* arguments) => _transpose(arguments);

    /// <summary>This thread uses no tiles for a while: what they hold is then neither saved nor restored when the system gives its core to
    /// others.</summary>
    public static void Release()
    {
        if (_isPrepared) Placed._release();
    }

    private static int Slot(int halves, AmxLeft left, TileEnd end) => ((((halves - 1) * 2) + (int)left) * Ends) + (int)end;

    private static void Append(List<byte> bytes, byte[] code)
    {
        while (bytes.Count % 64 != 0) bytes.Add(0x90);
        bytes.AddRange(code);
    }
}
