using static JepaSharp.Weights.PickleOpcode;

namespace JepaSharp.Weights;

/// <summary>Reads the pickle inside a PyTorch checkpoint into plain .NET values. It cannot run code.</summary>
/// <remarks>
/// <para>
/// A pickle is a program for a small stack machine (Python's Lib/pickletools.py describes every opcode), and Python's own reader calls
/// whatever function it names. This one knows a fixed list of names (<see cref="PickleGlobals"/>), each of which stands for something it
/// builds itself; any other name ends the reading.
/// </para>
/// <para>
/// Values: None is null; whole numbers are long or BigInteger; then double, bool, string, byte[]; tuples are object?[], lists
/// List&lt;object?&gt;, dictionaries OrderedDictionary&lt;object, object?&gt;, sets HashSet&lt;object&gt;; tensors <see cref="PickledTensor"/>.
/// Values may be shared and may contain themselves, so nobody may walk them without a bound.
/// </para>
/// <para>
/// Nothing recurses. Each opcode makes at most one value and what copies is charged by size, so that <see cref="MostSteps"/> bounds time and
/// memory together. A checkpoint of ViT-Huge with its optimizer takes about 100,000 steps.
/// </para>
/// </remarks>
internal ref struct RestrictedUnpickler
{
    /// <summary>The most steps that one pickle may take.</summary>
    public const long MostSteps = 1_000_000;

    private const int DeepestMarks = 1000;
    private readonly string _file;
    private readonly Func<PickleGlobal, string, long, PickledStorage> _storage;
    private readonly List<object?> _stack = [];
    private readonly Stack<int> _marks = new();
    private readonly Dictionary<uint, object?> _memo = [];
    private PickleStream _input;
    private long _steps;

    /// <param name="file">For messages.</param>
    /// <param name="pickle">The program.</param>
    /// <param name="storage">Finds a storage by its class, key and number of elements.</param>
    public RestrictedUnpickler(string file, ReadOnlySpan<byte> pickle, Func<PickleGlobal, string, long, PickledStorage> storage)
    {
        (_file, _storage) = (file, storage);
        _input = new PickleStream(file, pickle);
    }

    /// <summary>Runs the program to its end.</summary>
    /// <exception cref="WeightsFileException">The pickle names something that is not allowed, is damaged, or asks for too much.</exception>
    public object? Load()
    {
        if (_input.Byte() != (byte)Protocol || _input.Byte() is < 2 or > 5)
            throw Refuse("a pickle of another protocol", "one of protocol 2 to 5, as torch.save writes");
        while (true)
        {
            Charge(1);
            var opcode = (PickleOpcode)_input.Byte();
            if (opcode == Stop) return Pop();
            Step(opcode);
        }
    }

    private void Step(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case Frame: _input.UInt64(); break;
            case PickleOpcode.None: Push(null); break;
            case NewTrue: Push(true); break;
            case NewFalse: Push(false); break;
            case BinInt: Push((long)_input.Int32()); break;
            case BinInt1: Push((long)_input.Byte()); break;
            case BinInt2: Push((long)_input.UInt16()); break;
            case Long1: Push(_input.Integer(_input.Byte())); break;
            case Long4: Push(_input.Integer(_input.UInt32())); break;
            case BinFloat: Push(_input.Double()); break;
            case ShortBinUnicode: Push(_input.Utf8(_input.Byte())); break;
            case BinUnicode: Push(_input.Utf8(_input.UInt32())); break;
            case BinUnicode8: Push(_input.Utf8(_input.UInt64())); break;
            case ShortBinString: Push(_input.Latin1(_input.Byte())); break;
            case BinString: Push(_input.Latin1(_input.UInt32())); break;
            case ShortBinBytes: Push(_input.Take(_input.Byte()).ToArray()); break;
            case BinBytes: Push(_input.Take(_input.UInt32()).ToArray()); break;
            case BinBytes8 or ByteArray8: Push(_input.Take(_input.UInt64()).ToArray()); break;
            case BinPut: _memo[_input.Byte()] = Peek(); break;
            case LongBinPut: _memo[_input.UInt32()] = Peek(); break;
            case Memoize: _memo[(uint)_memo.Count] = Peek(); break;
            case BinGet: Push(Recall(_input.Byte())); break;
            case LongBinGet: Push(Recall(_input.UInt32())); break;
            case Mark: PushMark(); break;
            case PickleOpcode.Pop: DropTop(); break;
            case PopMark: PopToMark(); break;
            case Dup: Push(Peek()); break;
            default: StepOnContainers(opcode); break;
        }
    }

    private void StepOnContainers(PickleOpcode opcode)
    {
        switch (opcode)
        {
            case EmptyTuple: Push(Array.Empty<object?>()); break;
            case Tuple1 or Tuple2 or Tuple3: Push(PopMany(opcode - Tuple1 + 1)); break;
            case PickleOpcode.Tuple: Push(PopToMark()); break;
            case EmptyList: Push(new List<object?>()); break;
            case PickleOpcode.List: Push(new List<object?>(PopToMark())); break;
            case Append: AddTo(PopMany(1)); break;
            case Appends: AddTo(PopToMark()); break;
            case EmptyDict: Push(NewDictionary()); break;
            case Dict: PushFilled(PopToMark()); break;
            case SetItem: SetIn(PopMany(2)); break;
            case SetItems: SetIn(PopToMark()); break;
            case EmptySet: Push(new HashSet<object>(PickleKeys.Instance)); break;
            case AddItems: AddToSet(PopToMark()); break;
            case FrozenSet: Push(NewSet(PopToMark())); break;
            case Global: PushGlobal(_input.Line(), _input.Line()); break;
            case StackGlobal:
                var names = PopMany(2);
                PushGlobal(Require<string>(names[0], "the name of a module"), Require<string>(names[1], "the name of a global"));
                break;
            case Reduce or NewObject:
                var call = PopMany(2);
                Push(Make(Require<PickleGlobal>(call[0], "a known global to build"), Require<object?[]>(call[1], "its arguments")));
                break;
            case Build: BuildState(); break;
            case BinPersonId: Push(FindStorage(Require<object?[]>(Pop(), "the description of a storage"))); break;
            default: throw Refuse($"the pickle opcode 0x{(byte)opcode:x2}", "only those that torch.save writes");
        }
    }

    private object? Make(PickleGlobal global, object?[] arguments)
    {
        switch (global.Kind, arguments)
        {
            case (PickleGlobalKind.OrderedDictionary or PickleGlobalKind.Namespace, []):
                return NewDictionary();
            case (PickleGlobalKind.RebuildTensor, [PickledStorage storage, long offset, object?[] shape, object?[] strides, ..]):
                return PickledTensor.Create(_file, storage, offset, shape, strides);
            case (PickleGlobalKind.RebuildParameter, [PickledTensor tensor, ..]):
                return tensor;
            case (PickleGlobalKind.Size, [object?[] sizes]):
                return sizes;
            case (PickleGlobalKind.Device, [string device, ..]):
                return device;
            case (PickleGlobalKind.Set, [List<object?> items]):
                Charge(items.Count);
                return NewSet(items);
            case (PickleGlobalKind.NumberType, [string code, bool, bool]):
                return new PickledNumber(code);
            case (PickleGlobalKind.Number, [PickledNumber type, byte[] bytes]) when type.Of(bytes) is { } number:
                return number;
            case (PickleGlobalKind.Encode, [string text, _]) when PickleGlobals.Encode(arguments) is { } bytes:
                Charge(text.Length / 8);
                return bytes;
            default:
                throw Refuse($"{global.Name} with arguments it does not take", "a checkpoint that torch.save wrote");
        }
    }

    private void PushGlobal(string module, string name)
    {
        var global = PickleGlobals.Find(module, name)
            ?? throw Refuse($"a pickle that calls for '{SafetensorsHeader.Shown($"{module}.{name}")}', which is not allowed",
                "only tensors and plain containers: if you trust the file, save its state_dict alone with PyTorch (nothing of it was run)");
        Push(global);
    }

    private readonly PickledStorage FindStorage(object?[] description) =>
        description is ["storage", PickleGlobal { Kind: PickleGlobalKind.Storage } type, string key, string or null, long count, ..]
            ? _storage(type, key, count)
            : throw Refuse("a persistent id that does not describe a storage", "('storage', class, key, location, count)");

    private void BuildState()
    {
        // An OrderedDict that is a state_dict carries its modules' versions as an attribute, a Namespace its arguments: not needed.
        var values = PopMany(2);
        if (values is [PickledNumber type, object?[] state] && PickledNumber.IsLittle(state))
        {
            Push(type);
            return;
        }

        if (values is not [OrderedDictionary<object, object?> dictionary, OrderedDictionary<object, object?>])
            throw Refuse("a pickle that sets the state of an object", "it only for a dictionary, or for a type of little-endian numbers");
        Push(dictionary);
    }

    private static OrderedDictionary<object, object?> NewDictionary() => new(PickleKeys.Instance);

    private readonly HashSet<object> NewSet(IEnumerable<object?> items)
    {
        var set = new HashSet<object>(PickleKeys.Instance);
        foreach (var item in items) set.Add(RequireKey(item));
        return set;
    }

    private readonly void AddTo(object?[] items) => Require<List<object?>>(Peek(), "a list").AddRange(items);

    private readonly void AddToSet(object?[] items) => Require<HashSet<object>>(Peek(), "a set").UnionWith(NewSet(items));

    private void PushFilled(object?[] items)
    {
        Push(NewDictionary());
        SetIn(items);
    }

    private readonly void SetIn(object?[] items)
    {
        var dictionary = Require<OrderedDictionary<object, object?>>(Peek(), "a dictionary");
        if (items.Length % 2 != 0) throw Refuse("a key without a value", "pairs");
        for (var i = 0; i < items.Length; i += 2) dictionary[RequireKey(items[i])] = items[i + 1];
    }

    private readonly object RequireKey(object? value) =>
        PickleKeys.IsKey(value) ? value! : throw Refuse($"a {Describe(value)} as the key of a container", "a text, a number or a boolean");

    private readonly T Require<T>(object? value, string what) =>
        value is T found ? found : throw Refuse($"a {Describe(value)} in its pickle", $"{what} there");

    private static string Describe(object? value) => value switch
    {
        null => "None",
        PickleGlobal global => $"global '{global.Name}'",
        string => "text",
        long => "whole number",
        object?[] => "tuple",
        List<object?> => "list",
        LazyTensor => "tensor",
        _ => value.GetType().Name,
    };

    /// <summary>The stack below the last mark belongs to what was begun before it.</summary>
    private readonly int Floor => _marks.Count == 0 ? 0 : _marks.Peek();

    private readonly void Push(object? value) => _stack.Add(value);

    private readonly void PushMark()
    {
        if (_marks.Count == DeepestMarks) throw Refuse($"containers nested deeper than {DeepestMarks}", "a checkpoint");
        _marks.Push(_stack.Count);
    }

    private readonly object? Peek() => _stack.Count > Floor ? _stack[^1] : throw Refuse("a pickle that takes more than it made", "a sound one");

    private readonly object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private readonly void DropTop()
    {
        if (_marks.Count > 0 && _stack.Count == _marks.Peek()) _marks.Pop();
        else Pop();
    }

    private readonly object?[] PopMany(int count)
    {
        if (_stack.Count - Floor < count) throw Refuse("a pickle that takes more than it made", "a sound one");
        return Cut(_stack.Count - count);
    }

    private readonly object?[] PopToMark() =>
        _marks.TryPop(out var mark) ? Cut(mark) : throw Refuse("a container that ends without a beginning", "a sound pickle");

    private readonly object?[] Cut(int from)
    {
        var count = _stack.Count - from;
        if (count == 0) return [];
        var items = new object?[count];
        _stack.CopyTo(from, items, 0, count);
        _stack.RemoveRange(from, count);
        return items;
    }

    private readonly object? Recall(uint index) =>
        _memo.TryGetValue(index, out var value) ? value : throw Refuse($"a reference to value {index}, which it never made", "a sound pickle");

    private void Charge(long steps)
    {
        _steps += steps;
        if (_steps > MostSteps) throw Refuse($"a pickle of more than {MostSteps} steps", "a checkpoint, which takes far fewer");
    }

    private readonly WeightsFileException Refuse(string found, string expected) => new(_file, found, expected);
}
