// Package flow runs the endpoints of a dataset: it captures what changed in a database
// as commits, keeps the shadow of what the database's copy reflects, and applies what the
// database does not have yet, until every copy shows the projection of every record.
//
// Each record's life is one small state machine, state in state.go: what the store holds
// live, what each site's row is known to reflect, and three transitions (observe, due,
// settle). Everything else moves rows, batches and transactions around it. A survey runs
// the same machine without writing, which is how a plan says beforehand what a run will
// do.
//
// What must be durable before what (reference: the endpoint's durability order in
// ARCHITECTURE.md): a captured change before anybody applies it; the intent of an apply
// before the database's COMMIT; the shadow after it. A crash between any two steps is
// finished by [Flow.Attach].
package flow
