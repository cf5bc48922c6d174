package sweep
import ("testing";"popsim/model";"runtime";"time";"os")
func TestZ(t *testing.T) {
	m := model.AdExModel
	s := Spec{Model: m, Time: 5, NoError: true, Dt:0.1, Grid: Grid{Axes: mustAxes(t, m, "b=0:20/1000", "I=0:1000/1000")}}
	f,_ := s.Forecast(2)
	b := time.Now()
	r := mustRun(t, s)
	var ms runtime.MemStats; runtime.GC(); runtime.ReadMemStats(&ms)
	t.Log("run", time.Since(b), ms.HeapAlloc>>20, f.Bytes/(1<<20), ms.Sys>>20); b = time.Now()
	tab := r.Table(); 
	runtime.ReadMemStats(&ms); t.Log("table", time.Since(b), ms.HeapAlloc>>20, ms.Sys>>20, tab.Rows()); b = time.Now()
	fig, err := r.Figure("map", "latency_ms"); if err != nil { t.Fatal(err) }
	runtime.ReadMemStats(&ms); t.Log(ms.Sys>>20)
	name := t.TempDir()+"/x.svg"
	if err := fig.Save(name, false); err != nil { t.Fatal(err) }
	st, _ := os.Stat(name); t.Log("figure", time.Since(b), st.Size())
	runtime.KeepAlive(tab)
	hh := model.HHModel
	s = Spec{Model: hh, Time: 5, NoError: true, Grid: Grid{Axes: mustAxes(t, hh, "g_Na=100:140/200", "g_K=30:40/50")}}
	b = time.Now(); mustRun(t, s); t.Log("hh 10000 params", time.Since(b))
}
