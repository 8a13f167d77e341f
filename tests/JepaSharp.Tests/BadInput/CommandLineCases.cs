namespace JepaSharp.Tests.BadInput;

/// <summary>Lines of arguments that mean nothing.</summary>
internal static class CommandLineCases
{
    public static IEnumerable<BadCase> All =>
    [
        new("a verb that there is none", 2, "no verb 'frobnicate'", "frobnicate"),
        new("a verb mistyped", 2, "did you mean 'pretrain'", "pretrian"),
        new("a verb in another alphabet", 2, "no verb 'обучить'", "обучить"),
        new("an option before any verb", 2, "no option '--frob'", "--frob"),
        new("an option mistyped", 2, "did you mean '--data'", "pretrain --dta photos"),
        new("a very long word", 2, "no verb", new string('x', 20_000)),
        new("an empty word", 2, "''", "EMPTY"),
        new("no steps", 2, "at least 1", "pretrain --max-steps 0"),
        new("fewer than no steps", 2, "--max-steps", "pretrain --max-steps -5"),
        new("steps that are no number", 2, "many", "pretrain --max-steps many"),
        new("steps beyond any number", 2, "--max-steps", "pretrain --max-steps 99999999999999999999999"),
        new("an option without its value", 2, "--max-steps", "pretrain --max-steps"),
        new("an option twice", 2, "--data", "pretrain --data a --data b"),
        new("a precision that there is none", 2, "fp16", "pretrain --precision fp16"),
        new("a device that there is none", 2, "gpu", "pretrain --device gpu --data DIR --out DIR/run", Photos.Make),
        new("a device with a wrong number", 2, "cuda:x", "pretrain --device cuda:x --data DIR --out DIR/run", Photos.Make),
        new("a setting without a value", 2, "SECTION.KEY=VALUE", "pretrain --set data.batch_size"),
        new("a setting without a key", 2, "SECTION.KEY=VALUE", "pretrain --set =8"),
        new("a setting without a section", 2, "batch_size", "pretrain --set batch_size=8"),
        new("a setting of an unknown key", 2, "data.batch_size", "pretrain --set data.batchsize=8"),
        new("two configurations", 2, "does not take", "pretrain a.yaml b.yaml"),
        new("a resume of nothing", 2, "--resume needs --out", "pretrain --resume"),
        new("a resume with other weights", 2, "exclude each other", "pretrain --resume --out DIR --init DIR"),
        new("a resume where no run is", 2, "no run to resume", "pretrain --resume --out DIR/none"),
        new("a resume where other files are", 2, "no run to resume", "pretrain --resume --out DIR", Photos.Make),
        new("a resume with another configuration", 2, "CONFIG", "pretrain c.yaml --resume --out DIR"),
        new("a resume of nothing, with data", 2, "no run to resume", "pretrain --resume --out DIR --data DIR"),
        new("a resume without any checkpoint", 2, "no complete checkpoint", "pretrain --resume --out DIR/run", Photos.AbandonedRun),
        new("an output without a name", 2, "empty", "pretrain --data DIR --out EMPTY", Photos.Make),
        new("an output that is a file", 2, "is a file", "pretrain --data DIR --out DIR/notes.txt", folder =>
        {
            Photos.Make(folder);
            File.WriteAllText(Path.Combine(folder, "notes.txt"), "dear diary");
        }),
        new("an output that holds something else", 2, "thesis.tex", "pretrain --data DIR/photos --out DIR/mine", folder =>
        {
            Photos.Make(Directory.CreateDirectory(Path.Combine(folder, "photos")).FullName);
            File.WriteAllText(Path.Combine(Directory.CreateDirectory(Path.Combine(folder, "mine")).FullName, "thesis.tex"), "x");
        }),
        new("embed without weights", 2, "--weights", "embed --data d --out o.npy"),
        new("embed without an output", 2, "--out", "embed --weights w --data d"),
        new("embed in batches of none", 2, "--batch", "embed --weights w --data d --out o.npy --batch 0"),
        new("embed at no size", 2, "--size", "embed --weights w --data d --out o.npy --size 0"),
        new("embed with a pooling that there is none", 2, "max", "embed --weights w --data d --out o.npy --pool max"),
        new("embed with layers that there are none", 2, "all", "embed --weights w --data d --out o.npy --layers all"),
        new("embed with no heads", 2, "--heads", "embed --weights w --data d --out o.npy --heads 0"),
        new("embed into a document", 2, ".docx", "embed --weights w --data DIR --out DIR/o.docx", Photos.Make),
        new("export into an unknown format", 2, "tflite", "export --weights w --to tflite --out o"),
        new("export of nothing", 2, "none.safetensors", "export --weights DIR/none.safetensors --to safetensors --out DIR/o.safetensors"),
        new("export to onnx under another ending", 2, "does not end in .onnx", "export --weights w --to onnx --out DIR/o.safetensors"),
        new("export to onnx at no size", 2, "--size big", "export --weights w --to onnx --out DIR/o.onnx --size big"),
        new("export to onnx with a pooling that there is none", 2, "max", "export --weights w --to onnx --out o.onnx --pool max"),
        new("export with what is onnx' alone", 2, "--normalize is for --to onnx", "export --weights w --to safetensors --out o --normalize outside"),
        new("watch of nothing in particular", 2, "watch", "watch"),
        new("watch of nothing there", 2, "is no folder", "watch DIR/none"),
        new("watch at no port", 2, "--port", "watch DIR --port 70000"),
        new("watch at no address", 2, "--host", "watch DIR --host somewhere.example"),
        new("watch at another machine's address", 2, "no such address", "watch DIR --host 192.0.2.1 --port 0"),
        new("watch all the time", 2, "--every", "watch DIR --every 0"),
        new("completion for a shell that there is none", 2, "cmd", "completion cmd"),
        new("inspect of nothing in particular", 2, "inspect", "inspect"),
        new("inspect of nothing there", 2, "DIR/none", "inspect DIR/none"),
        new("masks without an output", 2, "--out", "masks"),
        new("masks of no images", 2, "--count", "masks --out DIR/m.png --count 0"),
        new("masks in a picture of another kind", 2, "m.gif", "masks --out DIR/m.gif --data DIR", Photos.Make),
        new("a pack of another ending", 2, ".jepapack", "pack --data DIR --out DIR/p.zip", Photos.Make),
        new("a pack of impossible quality", 2, "quality", "pack --data DIR --out DIR/p.jepapack --quality 101", Photos.Make),
        new("a pack of no side", 2, "side", "pack --data DIR --out DIR/p.jepapack --side 0", Photos.Make),
        new("scenes in no number", 2, "scenes", "scenes --out DIR/s --count 0"),
        new("scenes below zero", 2, "scenes", "scenes --out DIR/s --count -3"),
        new("scenes too small to see", 2, "8x8", "scenes --out DIR/s --count 1 --size 3"),
        new("scenes over other files", 2, "DIR", "scenes --out DIR --count 1", Photos.Make),
        new("a study that is not there", 2, "DIR/none.yaml cannot be read", "compare DIR/none.yaml --out DIR/out"),
        new("a study that is a folder", 2, "it is a folder", "compare DIR --out DIR/out", Photos.Make),
        new("a study of bytes", 2, "s.yaml", "compare DIR/s.yaml --out DIR/out", Photos.File1("s.yaml", [0, 1, 2, 0xff, 0xfe, 0, 9])),
        new("a study that is a configuration", 2, "unknown key", "compare DIR/s.yaml", Photos.Text("s.yaml", "optimization:\n  epochs: 2\n")),
        new("no runs at a time", 2, "--parallel", "compare DIR/s.yaml --parallel 0"),
        new("a study with data nowhere", 2, "there is no such folder", "compare DIR/s.yaml --data DIR/none", Photos.Text(
            "s.yaml", "base: b.yaml\nseeds: [0]\nbudget: {steps: 1}\nvariants: {a: {}}\nevaluate: [{task: knn, data: x}]\n")),
        new("doctor with something more", 2, "does not take", "doctor please"),
    ];
}
